import type { MembershipResult } from '@quorate/client';
import { describe, expect, it } from 'vitest';
import { progressLine } from '../src/output/membership-output.ts';

type Member = MembershipResult['members'][number];

function learner(changes: Partial<Member>): Member {
  return {
    ID: 0xbn,
    name: 'b',
    peerURLs: [],
    clientURLs: [],
    voter: false,
    becomes: 'voter',
    incarnation: 'i1',
    progressKnown: true,
    answers: true,
    matchIndex: 0,
    ...changes,
  };
}

function view(...members: readonly Member[]): MembershipResult {
  return {
    clusterId: 1n,
    memberId: 1n,
    revision: 1,
    raftTerm: 1,
    version: 2,
    underWay: true,
    joint: false,
    leaderId: 1n,
    lastIndex: 2000,
    members,
    addedIds: [],
  };
}

describe('while a change is under way', () => {
  it('says how much of the log each newcomer has, and what it waits for then', () => {
    const coming = [
      learner({ matchIndex: 500 }),
      learner({ name: 'c', matchIndex: 2000 }),
      learner({ name: 'd', answers: false }),
      learner({ name: '', progressKnown: false }),
    ];
    expect(progressLine(view(...coming))).toBe(
      'Catching up: b 25 %, c has the log and applies it, d does not answer yet, b',
    );
  });

  it('says so when nobody is waited for', () => {
    expect(progressLine(view(learner({ voter: true })))).toBe('The change is being committed');
    expect(progressLine({ ...view(), joint: true })).toBe('Both the old voters and the new ones decide');
  });
});
