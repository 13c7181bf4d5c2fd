/** Every situation in which something waits, and what is said of it. */
import { type Configuration, initialConfiguration } from '@quorate/raft';
import type { RaftNodeStatus } from '@quorate/runtime';
import { explain } from '@quorate/server';
import { expect, it } from 'vitest';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => ({
  id: `id-${name}`,
  incarnation: `life-${name}`,
  context: JSON.stringify({ name, peerURLs: [`http://${name}:2380`] }),
})) as [Member, Member, Member, Member];

interface Member {
  readonly id: string;
  readonly incarnation: string;
  readonly context: string;
}

const now = 10_000_000;
const silence = 1_000_000;
const three: Configuration = initialConfiguration([a, b, c]);

/** A leader whose followers hold everything and have just answered. */
const leading: RaftNodeStatus = {
  id: a.id,
  role: 'leader',
  term: 3,
  vote: a.id,
  leader: a.id,
  commitIndex: 100,
  appliedIndex: 100,
  lastIndex: 100,
  durableIndex: 100,
  baseIndex: 0,
  snapshot: { index: 0, term: 0, configuration: three },
  configuration: three,
  faultyEntries: 0,
  lacksSnapshot: false,
  recovering: false,
  foreignIncarnation: false,
  versionInUse: 1,
  withheld: [],
  versions: { min: 1, max: 1 },
  followers: [follower(b.id, 100), follower(c.id, 100)],
  clusterId: '00000000000000aa',
  incarnation: a.incarnation,
  listenAddress: 'a:2380',
  peers: [peer(b.id, true), peer(c.id, true)],
  pendingProposals: 0,
  pendingReads: 0,
  logBytes: 0,
};
const following: RaftNodeStatus = { ...leading, role: 'follower', leader: b.id, followers: [] };
/** A leader that speaks version 2. */
const upgraded: RaftNodeStatus = { ...leading, versions: { min: 1, max: 2 } };
const withheld = ['membershipChanges', 'leadershipTransfer'] as const;
const leaderless: RaftNodeStatus = { ...following, leader: null };

function follower(id: string, matchIndex: number, lastContact: number | null = now - 1000, speaks: number | null = 1) {
  const rest = { nextIndex: matchIndex + 1, inflightMessages: 0, inflightBytes: 0, speaks, behind: false };
  return { id, state: 'replicate' as 'replicate' | 'snapshot', matchIndex, lastContact, ...rest };
}

function peer(id: string, connected: boolean) {
  const lastProblem = connected ? null : 'connect ECONNREFUSED';
  return {
    id,
    address: `${id.slice(3)}:2380`,
    connected,
    versions: { min: 1, max: 1 },
    queuedBytes: 0,
    dropped: 0,
    lastProblem,
  };
}

const cut = { peers: [peer(b.id, false), peer(c.id, false)] };
const newcomer: Configuration = {
  ...initialConfiguration([a, b, c], [d]),
  target: { voters: [a.id, b.id, c.id, d.id], leaving: [], successors: [] },
};

type Case = readonly [code: string, status: RaftNodeStatus, text: RegExp];

const cases: readonly Case[] = [
  ['foreignDirectory', { ...leaderless, foreignIncarnation: true }, /another data directory/],
  ['notLetIn', { ...leaderless, configuration: initialConfiguration([]) }, /waits to be let in/],
  ['notMember', { ...leaderless, configuration: initialConfiguration([b, c]) }, /no member of its cluster any more/],
  ['leaderUnreachable', { ...following, ...cut }, /b leads term 3, but .*ECONNREFUSED/],
  [
    'noMajority',
    { ...leaderless, ...cut },
    /2 of 3 voters are needed for one, and this server reaches 1, itself included. Not reached: b at b:2380 \(connect ECONNREFUSED\); c/,
  ],
  ['learnerWaits', { ...leaderless, configuration: initialConfiguration([b, c], [a]) }, /It is a learner/],
  ['waitsToStand', leaderless, /stands for election when/],
  ['electing', { ...leaderless, role: 'preCandidate' }, /stands for election \(preCandidate, term 3\)/],
  ['leaderAsked', { ...following, pendingProposals: 7 }, /7 writes .* wait for the leader, b/],
  ['settling', { ...leading, recovering: true }, /settles damaged entries/],
  [
    'tooFewHold',
    {
      ...leading,
      lastIndex: 105,
      durableIndex: 105,
      peers: [peer(b.id, true), peer(c.id, false)],
      followers: [follower(b.id, 100, now - 2_000_000), follower(c.id, 90, null)],
    },
    /Entries 101 to 105 are not committed: 1 of 3 voters hold entry 101, 2 are needed. b is connected but has not answered lately. c at c:2380 \(connect ECONNREFUSED\) is not connected/,
  ],
  [
    'tooFewHold',
    {
      ...leading,
      lastIndex: 105,
      durableIndex: 105,
      followers: [{ ...follower(b.id, 0), state: 'snapshot' }, follower(c.id, 99)],
    },
    /b receives a snapshot first. c holds up to entry 99/,
  ],
  [
    'ownDisk',
    { ...leading, lastIndex: 105, followers: [follower(b.id, 105), follower(c.id, 100)] },
    /own disk holds up to entry 100 only/,
  ],
  [
    'ownTermFirst',
    { ...leading, commitIndex: 99, appliedIndex: 99 },
    /an entry of this leader's own term has to be committed first/,
  ],
  ['applying', { ...leading, appliedIndex: 60 }, /40 committed entries, from 61 on, are not applied/],
  ['readsNeedLeader', { ...leaderless, pendingReads: 2 }, /2 reads wait: no leader is known/],
  ['readsAskLeader', { ...following, pendingReads: 2 }, /the leader, b, has to say/],
  [
    'readsNeedMajority',
    { ...leading, pendingReads: 1, followers: [follower(b.id, 100, null), follower(c.id, 100, null)] },
    /a majority has to confirm .* b, c do not answer/,
  ],
  ['readsNeedApply', { ...leading, pendingReads: 1, appliedIndex: 60 }, /has not applied/],
  ['readsConfirming', { ...leading, pendingReads: 1 }, /a round of heartbeats/],
  ['joint', { ...leading, configuration: { ...three, outgoing: [a.id, b.id, c.id] } }, /a majority of the old voters/],
  [
    'uncommitted',
    { ...leading, configuration: { ...three, index: 101, version: 4 } },
    /Version 4 .* not committed yet/,
  ],
  ['catchingUp', { ...following, configuration: newcomer }, /waits for d to catch up/],
  [
    'catchingUp',
    { ...leading, configuration: newcomer, followers: [...leading.followers, follower(d.id, 40)] },
    /d holds 40 of 100 entries/,
  ],
  ['catchingUp', { ...leading, configuration: newcomer }, /d does not answer/],
  [
    'versionHeld',
    { ...upgraded, followers: [follower(b.id, 100, now, 2), follower(c.id, 100)] },
    /^Version 1 of the protocol is in use: c speaks no later one\.$/,
  ],
  [
    'versionHeld',
    { ...upgraded, followers: [follower(b.id, 100), follower(c.id, 100, null, null)], withheld },
    /b speaks no later one; c has not said in this term what it speaks\. Until a later one is, changes of membership and transfers of leadership are refused \(versionTooOld\)/,
  ],
  [
    'versionHeld',
    { ...leading, followers: [follower(b.id, 100, now, 2), follower(c.id, 100, now, 2)] },
    /in use: a speaks no later one/,
  ],
  [
    'versionHeld',
    { ...following, versions: { min: 1, max: 2 }, peers: [peer(b.id, true), { ...peer(c.id, false), versions: null }] },
    /b speaks no later one; c has not said to this server what it speaks/,
  ],
  [
    'versionHeld',
    { ...leading, withheld: ['leadershipTransfer'] },
    /a, b, c speak no later one.* transfers of leadership are refused/,
  ],
  [
    'versionRises',
    { ...upgraded, followers: [follower(b.id, 100, now, 2), follower(c.id, 100, now, 3)] },
    /every member speaks a later one/,
  ],
  [
    'versionUncommitted',
    { ...upgraded, configuration: { ...three, index: 101, protocol: 2 }, withheld },
    /version 2 is agreed, and not committed yet\. Until a later one is/,
  ],
  ['snapshotLost', { ...following, lacksSnapshot: true }, /snapshot .* is damaged/],
  ['damaged', { ...leading, faultyEntries: 3 }, /3 entries are damaged/],
];

it.each(cases)('%s', (code, status, text) => {
  const found = explain({ status, now, silence }).find((finding) => finding.code === code);
  expect(found?.text).toMatch(text);
});

it('says nothing where nothing waits', () => {
  expect(explain({ status: leading, now, silence })).toEqual([]);
  expect(explain({ status: following, now, silence })).toEqual([]);
});

it('says who has to be upgraded, who has to be started, and who knows more', () => {
  const advice = (status: RaftNodeStatus) => explain({ status, now, silence }).map((finding) => finding.advice);
  const followers = [follower(b.id, 100), follower(c.id, 100, null, null)];
  expect(advice({ ...upgraded, followers })).toEqual(['Upgrade b. Start c, or remove what is gone for good.']);
  expect(advice({ ...following, versions: { min: 1, max: 2 } })).toEqual([
    'Upgrade b, c. The leader knows more: quorate explain at its endpoint.',
  ]);
});

it('finds the half of a joint configuration that has no majority', () => {
  const configuration = { ...initialConfiguration([a, d]), outgoing: [a.id, b.id, c.id], members: [a, b, c, d] };
  const [finding] = explain({ status: { ...leaderless, configuration }, now, silence });
  expect(finding).toMatchObject({ code: 'noMajority' });
  expect(finding?.text).toMatch(/2 of 2 voters .* Not reached: d/);
});
