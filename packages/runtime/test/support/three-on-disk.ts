import { defaultOptions, EntryKind, freshState, initialConfiguration, Raft } from '@quorate/raft';
import { command } from './counter.ts';

const configuration = initialConfiguration(['a', 'b', 'c'].map((id) => ({ id, incarnation: id, context: '' })));

/** A follower whose disk holds three entries of term 1, and whose memory holds none. */
export function threeOnDisk(): Raft {
  return new Raft(
    { ...defaultOptions, id: 'b', incarnation: 'b' },
    {
      ...freshState(configuration),
      hardState: { term: 1, vote: null },
      lastIndex: 3,
      termRuns: [{ first: 1, term: 1 }],
    },
  );
}

/** The leader of term 2 has another third entry, and has committed it. */
export function replaceThird(raft: Raft): void {
  raft.step({
    kind: 'message',
    now: 1,
    message: {
      kind: 'appendEntries',
      group: 0,
      from: 'a',
      to: 'b',
      incarnation: 'a',
      term: 2,
      prevIndex: 2,
      prevTerm: 1,
      entries: [{ index: 3, term: 2, kind: EntryKind.command, data: command('three') }],
      commit: 3,
    },
  });
}
