import { describe, expect, it } from 'vitest';
import { type LiveStatus, type Look, paceOf, readStatus } from '../src/page/live/status.ts';

const status: LiveStatus = {
  id: 'a',
  name: 's1',
  version: '0.1.0',
  uptimeMs: 1,
  role: 'leader',
  term: 1,
  leaderName: 's1',
  commitIndex: 0,
  appliedIndex: 0,
  lastIndex: 0,
  durableIndex: 0,
  pendingProposals: 1,
  pendingReads: 0,
  followers: [],
  configuration: { voters: ['a'], outgoing: [], learners: [], members: [{ id: 'a', name: 's1' }] },
};

/** Looks half a second apart, with what was committed by then. */
function looking(...commits: readonly number[]): readonly Look[] {
  return commits.map((commitIndex, at) => ({ at: at * 500, status: { ...status, commitIndex } }));
}

describe('the pace of a cluster that runs', () => {
  it('is what was committed, over the time', () => {
    expect(paceOf(looking(0, 50, 100, 150, 200)).perSecond).toBe(100);
    expect(paceOf(looking(0, 50, 50)).curve).toEqual([100, 0]);
    expect(paceOf([])).toEqual({ perSecond: 0, curve: [], pause: null });
  });

  it('knows the last pause: writes waited, and nothing was committed', () => {
    expect(paceOf(looking(0, 50, 50, 50, 90, 120)).pause).toEqual({ ms: 1500, agoMs: 500 });
    expect(paceOf(looking(0, 50, 90)).pause).toBeNull();
  });

  it('takes rest for no pause', () => {
    const resting = looking(0, 50, 50, 50, 90).map(({ at, status: each }) => ({
      at,
      status: { ...each, pendingProposals: 0 },
    }));
    expect(paceOf(resting).pause).toBeNull();
  });

  it('refuses what is no answer of a server', () => {
    expect(readStatus(status)).toBe(status);
    for (const other of [null, 'text', {}, { id: 'a' }, { ...status, followers: 3 }])
      expect(readStatus(other)).toBeNull();
  });
});
