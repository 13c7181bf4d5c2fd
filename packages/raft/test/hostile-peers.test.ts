/** Nothing that a peer sends can make the core throw, whatever state it is in; and what it does afterwards still holds together. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertLong } from '../../../test-support/long-property.ts';
import { type Entry, EntryKind, encodeConfiguration, type FetchAnswer, type Message } from '../src/index.ts';
import { configuration, memberNames } from './support/configurations.ts';
import { lawless } from './support/scene.ts';

const position = fc.oneof(fc.nat(6), fc.constantFrom(2 ** 31, 2 ** 52, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER));
const server = fc.constantFrom('n1', 'n2', 'n3', 'n9');
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.constantFrom(
    encodeConfiguration(configuration({ voters: ['n2'] })),
    encodeConfiguration(configuration({ voters: ['n8', 'n9'], outgoing: ['n1'] })),
  ),
);

const entry: fc.Arbitrary<Entry> = fc.record({
  index: position,
  term: position,
  kind: fc.constantFrom(EntryKind.noop, EntryKind.command, EntryKind.configuration, 9 as EntryKind),
  data: bytes,
});

/** Runs that are in order often enough to be taken. */
const entries: fc.Arbitrary<Entry[]> = fc.oneof(
  fc.array(entry, { maxLength: 3 }),
  fc
    .tuple(fc.nat(4), fc.nat(4), fc.array(bytes, { maxLength: 4 }))
    .map(([first, term, datas]) =>
      datas.map((data, offset) => ({ index: first + offset + 1, term, kind: EntryKind.command, data })),
    ),
);

const envelope = {
  group: fc.constantFrom(0, 0, 0, 1),
  from: server,
  to: fc.constantFrom('n1', 'n1', 'n1', 'n2'),
  incarnation: fc.constantFrom('n2-1', 'n3-1', 'x'),
  term: position,
};

const answer: fc.Arbitrary<FetchAnswer> = fc.oneof(
  entry.map((it) => ({ verdict: 'have' as const, entry: it })),
  fc.record({
    verdict: fc.constantFrom('dontHave' as const, 'haveFaulty' as const, 'compacted' as const),
    position: fc.record({ index: position, term: position }),
  }),
);

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('preVote' as const),
    ...envelope,
    round: position,
    lastIndex: position,
    lastTerm: position,
  }),
  fc.record({ kind: fc.constant('preVoteReply' as const), ...envelope, round: fc.nat(3), granted: fc.boolean() }),
  fc.record({
    kind: fc.constant('requestVote' as const),
    ...envelope,
    lastIndex: position,
    lastTerm: position,
    transfer: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('requestVoteReply' as const), ...envelope, granted: fc.boolean() }),
  fc.record({
    kind: fc.constant('appendEntries' as const),
    ...envelope,
    prevIndex: position,
    prevTerm: position,
    entries,
    commit: position,
  }),
  fc.record({
    kind: fc.constant('appendEntriesReply' as const),
    ...envelope,
    accepted: fc.boolean(),
    index: position,
    hintIndex: position,
    hintTerm: position,
  }),
  fc.record({ kind: fc.constant('heartbeat' as const), ...envelope, commit: position, round: position }),
  fc.record({
    kind: fc.constant('heartbeatReply' as const),
    ...envelope,
    round: position,
    speaks: fc.nat(255),
    behind: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('installSnapshot' as const),
    ...envelope,
    snapshot: fc.record({
      index: position,
      term: position,
      configuration: fc.constantFrom(
        configuration({ voters: [] }),
        configuration({ voters: memberNames(3) }),
        configuration({ voters: ['n1'] }, 3),
      ),
    }),
  }),
  fc.record({
    kind: fc.constant('installSnapshotReply' as const),
    ...envelope,
    snapshotIndex: position,
    index: position,
  }),
  fc.record({ kind: fc.constant('readIndex' as const), ...envelope, id: position }),
  fc.record({
    kind: fc.constant('readIndexReply' as const),
    ...envelope,
    id: position,
    index: position,
    refused: fc.constantFrom(null, 'noLeader', 'busy'),
  }),
  fc.record({
    kind: fc.constant('propose' as const),
    ...envelope,
    id: position,
    commands: fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('proposeReply' as const),
    ...envelope,
    id: position,
    count: fc.nat(3),
    index: position,
    refused: fc.constantFrom(null, 'busy' as const),
  }),
  fc.record({ kind: fc.constant('timeoutNow' as const), ...envelope }),
  fc.record({
    kind: fc.constant('fetchEntries' as const),
    ...envelope,
    round: position,
    applied: position,
    snapshot: position,
    wanted: fc.array(fc.record({ index: position, term: position }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('fetchEntriesReply' as const),
    ...envelope,
    round: position,
    answers: fc.array(answer, { maxLength: 4 }),
  }),
);

const step = fc.oneof(
  { arbitrary: message.map((it) => ({ do: 'receive' as const, message: it })), weight: 8 },
  {
    arbitrary: fc
      .constantFrom('election', 'heartbeat', 'quorumCheck', 'stickiness', 'commitNotice', 'repair', 'quiet')
      .map((timer) => ({ do: 'fire' as const, timer })),
    weight: 3,
  },
  {
    arbitrary: fc.constantFrom(
      { do: 'propose' as const },
      { do: 'read' as const },
      { do: 'compact' as const },
      { do: 'restart' as const },
    ),
    weight: 2,
  },
);

describe('hostile peers', () => {
  test('never make a server throw', () => {
    let applied = 0;
    assertLong(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const world = lawless(3, { options: { maxLogCacheBytes: 8 } });
        const victim = world.server('n1');
        // What a snapshot of nobody holds: nothing.
        world.snapshotState = (at) => ({ position: at, commands: [] });
        world.chainOfSnapshot = () => 1;
        let id = 0;
        for (const action of steps) {
          id++;
          if (action.do === 'receive') {
            victim.receive(action.message);
          } else if (action.do === 'fire') {
            const timer = [...victim.timers.keys()].find((name) => name === action.timer);
            if (timer !== undefined) {
              victim.fire(timer);
            }
          } else if (action.do === 'propose') {
            victim.propose(id, ['x']);
          } else if (action.do === 'read') {
            victim.read(id);
          } else if (action.do === 'compact') {
            if (victim.machine.position.index > victim.core.status().snapshot.index) {
              victim.compact();
            }
          } else {
            victim.crash();
            victim.start();
          }
          const { appliedIndex, commitIndex, lastIndex, baseIndex } = victim.core.status();
          expect(baseIndex <= appliedIndex && appliedIndex <= commitIndex && commitIndex <= lastIndex).toBe(true);
        }
        applied += victim.machine.position.index;
      }),
      { numRuns: 1500 },
    );
    expect(applied).toBeGreaterThan(0);
  });
});
