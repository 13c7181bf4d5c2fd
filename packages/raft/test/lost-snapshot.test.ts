/** A server whose own snapshot is damaged: its log and its promises stand, its state has to come from the leader. */
import { describe, expect, test } from 'vitest';
import { defaultOptions, type Message, Raft, type RecoveredState } from '../src/index.ts';
import { configuration, firstIncarnation, memberNames } from './support/configurations.ts';
import { envelope } from './support/scene.ts';

const founders = configuration({ voters: memberNames(3) });
const options = { ...defaultOptions, id: 'n2', incarnation: firstIncarnation('n2') };

/** A log of twelve entries that begins behind the sixth, with a snapshot at the eighth. */
function server(changes: Partial<RecoveredState>): Raft {
  const recovered: RecoveredState = {
    hardState: { term: 2, vote: null },
    snapshot: { index: 8, term: 1, configuration: founders },
    base: { index: 6, term: 1 },
    lastIndex: 12,
    termRuns: [{ first: 7, term: 1 }],
    configurations: [],
    faulty: [],
    tail: [],
    applied: 8,
    ...changes,
  };
  return new Raft(options, recovered);
}

function hear(raft: Raft, message: Message): void {
  raft.step({ kind: 'message', now: 0, message });
}

/** Its leader says that everything up to `commit` is committed. */
function commit(raft: Raft, index: number): void {
  hear(raft, {
    kind: 'appendEntries',
    ...envelope('n1', 'n2', 2),
    prevIndex: 12,
    prevTerm: 1,
    entries: [],
    commit: index,
  });
}

const install = (index: number): Message => ({
  kind: 'installSnapshot',
  ...envelope('n1', 'n2', 2),
  snapshot: { index, term: 1, configuration: founders },
});

describe('a damaged snapshot', () => {
  test('is asked for at the start, and an older one does not do', () => {
    const raft = server({ applied: 0 });
    const { send, apply } = raft.takeOutput();
    expect(send.map(({ message }) => message)).toMatchObject([
      { kind: 'fetchEntries', to: 'n1', snapshot: 8, wanted: [] },
      { kind: 'fetchEntries', to: 'n3', snapshot: 8, wanted: [] },
    ]);
    expect(apply).toBeNull();
    expect(raft.needsSnapshot(7)).toBe(false);
    expect(raft.needsSnapshot(8)).toBe(true);
    hear(raft, install(7));
    expect(raft.takeOutput().restore).toBeNull();
    hear(raft, install(8));
    expect(raft.takeOutput()).toMatchObject({ restore: { snapshot: { index: 8 } }, persist: { adopt: { index: 8 } } });
    expect(raft.status()).toMatchObject({ lastIndex: 12, baseIndex: 6 });
  });

  test('keeps its server from office, and nothing else', () => {
    const raft = server({ applied: 0 });
    raft.takeOutput();
    raft.step({ kind: 'timeout', now: 5000, name: 'election', generation: raft.state.timers.election });
    expect(raft.role).toBe('follower');
    hear(raft, {
      kind: 'requestVote',
      ...envelope('n3', 'n2', 3),
      lastIndex: 11,
      lastTerm: 1,
      transfer: false,
    });
    expect(raft.hardState).toEqual({ term: 3, vote: null });
    hear(raft, { kind: 'requestVote', ...envelope('n1', 'n2', 3), lastIndex: 12, lastTerm: 1, transfer: false });
    expect(raft.hardState).toEqual({ term: 3, vote: 'n1' });
  });

  test('is no hindrance to what was applied by a durable state machine', () => {
    const raft = server({ applied: 10 });
    expect(raft.takeOutput().send).toEqual([]);
    expect(raft.status().lacksSnapshot).toBe(false);
  });
});

test('a snapshot below the commit index is needed where entries that it covers are faulty', () => {
  const raft = server({ faulty: [{ index: 10, term: 1, kind: 1 }] });
  const whole = server({});
  for (const each of [raft, whole]) commit(each, 12);
  expect([raft.commitIndex, whole.commitIndex]).toEqual([12, 12]);
  expect([9, 10, 11].map((index) => raft.needsSnapshot(index))).toEqual([false, true, true]);
  expect([9, 10, 11, 12].map((index) => whole.needsSnapshot(index))).toEqual([false, false, false, false]);
  expect(whole.needsSnapshot(13)).toBe(true);
});
