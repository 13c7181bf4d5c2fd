import { defaultOptions, freshState, initialConfiguration, Raft } from '@quorate/raft';

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
