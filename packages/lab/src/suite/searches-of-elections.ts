/** Part 4A, searched: elections (§5.2) in every order of events. */
import { goal } from '@quorate/sim';
import { applied, follows, inTerm, leads, noneOnItsWay, onItsWay } from '../search/goals.ts';
import { client, lose, sides, zeroLeads } from './search-steps.ts';
import type { LabInvariant, SearchStage, SearchTest } from './search-test.ts';

const part = { part: '4A', servers: 3, isSearch: true } as const;

/** Each is asked for its own vote by the other behind its back: neither knows of the other, and server 2 has heard of neither. */
const bothStand: readonly SearchStage[] = [
  {
    name: 'server 0 stands, and server 1 does not hear of it',
    begin: [sides([0, 2], [1])],
    budgets: { timeouts: [2, 0, 0] },
    goal: goal('a call for votes is on its way', inTerm(0, 1), follows(0), onItsWay('call', 0, 2)),
  },
  {
    name: 'server 1 stands in the same term',
    begin: [sides([1, 2], [0])],
    budgets: { timeouts: [0, 2, 0] },
    goal: goal('a call for votes is on its way', inTerm(1, 1), follows(1), onItsWay('call', 1, 2)),
  },
];

const everyElection: SearchTest = {
  ...part,
  name: 'SearchElection',
  title: 'every order of an election, and of two at once',
  stages: [
    { name: 'server 0 stands, twice perhaps', budgets: { timeouts: [2, 0, 0] }, goal: null },
    ...bothStand,
    { name: 'all reach each other', begin: [sides([0, 1, 2])], budgets: {}, goal: null },
    { name: 'somebody is elected', budgets: { timeouts: [3, 0, 0] }, goal: goal('server 0 leads', leads(0)) },
  ],
};

const cutOff: SearchTest = {
  ...part,
  name: 'SearchCutOff',
  title: 'a leader with one server cut off, and without it',
  stages: [
    {
      name: 'server 2 is cut off, and server 0 leads',
      begin: [sides([0, 1], [2])],
      budgets: { timeouts: [2, 0, 0] },
      goal: goal('server 0 leads', leads(0)),
    },
    {
      name: 'the leader is cut off, and server 1 leads',
      begin: [sides([0], [1, 2])],
      budgets: { timeouts: [0, 2, 1] },
      goal: goal('server 1 leads', leads(1), inTerm(1, 2)),
    },
    {
      name: 'all reach each other, and server 0 sees that it leads no more',
      begin: [sides([0, 1, 2])],
      budgets: { timeouts: [1, 2, 0] },
      goal: goal('server 0 follows', follows(0), leads(1)),
    },
    { name: 'it stands again', begin: [lose(null, null)], budgets: { timeouts: [1, 0, 0] }, goal: null },
  ],
};

const candidate: SearchTest = {
  ...part,
  name: 'SearchCandidate',
  title: 'a candidate follows whoever wins its term',
  stages: [
    ...bothStand,
    {
      name: 'server 1 wins, and commits c1',
      budgets: { timeouts: [0, 1, 0] },
      goal: goal('server 1 leads', leads(1)),
    },
    {
      name: 'server 0 hears of it, and its own clock stands still',
      begin: [lose(0, null), client(1), sides([0, 1, 2])],
      budgets: { timeouts: [0, 3, 0], stopped: [0] },
      goal: goal('server 0 applies c1', applied(1, [0])),
    },
  ],
};

const votesOnce: SearchTest = {
  ...part,
  name: 'SearchVoteCrash',
  title: 'votes once a term, through a crash',
  stages: [
    ...bothStand,
    {
      name: 'any server crashes, and starts again',
      begin: [sides([0, 1, 2])],
      budgets: { crashes: 1 },
      goal: null,
    },
    { name: 'somebody leads all the same', budgets: { timeouts: [3, 0, 0] }, goal: goal('server 0 leads', leads(0)) },
  ],
};

const lateVote: SearchTest = {
  ...part,
  name: 'SearchLateVote',
  title: 'a vote that comes late is not counted',
  stages: [
    {
      name: 'server 2 votes for server 0, and its answer is late',
      begin: [sides([0, 2], [1])],
      budgets: { timeouts: [2, 0, 0], vain: true },
      goal: goal(
        'its vote is on its way',
        inTerm(0, 1),
        follows(0),
        onItsWay('answer', 2, 0),
        noneOnItsWay('call', 0, 2),
      ),
    },
    {
      name: 'server 0 stands in the next term',
      begin: [lose(0, null), sides([0, 1], [2])],
      budgets: { timeouts: [3, 0, 0] },
      goal: goal('it stands', inTerm(0, 2), follows(0)),
    },
    {
      name: 'server 1 is elected in that term by server 2',
      begin: [lose(0, null), sides([1, 2], [0])],
      budgets: { timeouts: [0, 3, 1] },
      goal: goal('server 1 leads', leads(1), inTerm(1, 2)),
    },
    {
      name: 'the late vote arrives, and all that is on its way besides',
      begin: [sides([0, 1, 2])],
      budgets: { vain: true },
      goal: null,
    },
  ],
};

const stillLeads: LabInvariant = {
  name: 'a leader that works is not disturbed',
  broken: ({ servers: [leader] }) =>
    leader?.isLeader === true
      ? null
      : 'server 0 led and was heard by a majority; then server 2 came back, and now server 0 does not lead (PreVote, dissertation §9.6)',
};

const rejoin: SearchTest = {
  ...part,
  name: 'SearchRejoin',
  title: 'a rejoining server disturbs nobody, in any order',
  stages: [
    zeroLeads,
    {
      name: 'server 1 has heard it, and server 2 is cut off',
      begin: [lose(null, null), sides([0, 1], [2])],
      budgets: { timeouts: [2, 0, 0] },
      goal: goal('server 1 has answered its leader', inTerm(1, 1), leads(0), onItsWay('answer', 1, 0)),
    },
    { name: 'server 2 stands alone', budgets: { timeouts: [0, 0, 2], stopped: [0, 1] }, goal: null },
    {
      name: 'it comes back; no clock of the others runs out, for they hear each other',
      begin: [sides([0, 1, 2])],
      budgets: { timeouts: [0, 0, 3], stopped: [0, 1] },
      invariants: [stillLeads],
      goal: null,
    },
  ],
};

export const searchesOfElections: readonly SearchTest[] = [
  everyElection,
  cutOff,
  candidate,
  votesOnce,
  lateVote,
  rejoin,
];
