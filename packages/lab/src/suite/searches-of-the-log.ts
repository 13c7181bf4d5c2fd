/** Part 4B, searched: replication, commitment and what survives a crash (§5.3, §5.4), in every order of events. */
import { goal } from '@quorate/sim';
import {
  applied,
  committed,
  doubled,
  holds,
  inTerm,
  leads,
  leadsAbove,
  onItsWay,
  settled,
  uncommitted,
} from '../search/goals.ts';
import { client, crash, lose, restart, sides, zeroLeads } from './search-steps.ts';
import type { LabInvariant, SearchStage, SearchTest } from './search-test.ts';

const part = { part: '4B', servers: 3, isSearch: true } as const;

const nothingCommitted: LabInvariant = {
  name: 'without a majority nothing is committed',
  broken: ({ ghost }) =>
    ghost.applied.length === 0 ? null : `index 1 was applied, and the entry is on one server of three`,
};

/** Two of three servers have c1, and it is committed; server 2 has heard of nothing. */
const c1OnTwo: readonly SearchStage[] = [
  { ...zeroLeads, begin: [sides([0, 1], [2])] },
  {
    name: 'c1 is committed on servers 0 and 1',
    begin: [client(0)],
    budgets: { timeouts: [3, 0, 0] },
    goal: goal('server 0 applies c1', applied(1, [0])),
  },
];

const noMajority: SearchTest = {
  ...part,
  name: 'SearchNoMajority',
  title: 'a leader without a majority commits nothing',
  stages: [
    zeroLeads,
    {
      name: 'server 1 has answered its leader',
      begin: [lose(null, null)],
      budgets: { timeouts: [2, 0, 0] },
      goal: goal('the answer is on its way', leads(0), onItsWay('answer', 1, 0)),
    },
    {
      name: 'it is cut off, and a client wants a command of it',
      begin: [sides([0], [1, 2]), client(0)],
      budgets: { timeouts: [2, 0, 0] },
      invariants: [nothingCommitted],
      goal: null,
    },
    {
      name: 'answers to what it asked before arrive',
      begin: [crash(1), crash(2), lose(0, null), sides([0, 1, 2])],
      budgets: { timeouts: [0, 0, 0] },
      invariants: [nothingCommitted],
      goal: null,
    },
    {
      name: 'the others come back, and hear of the command',
      begin: [restart(1), restart(2)],
      budgets: { timeouts: [3, 0, 0] },
      goal: goal('c1 is applied everywhere', applied(1, [0, 1, 2])),
    },
  ],
};

const loseTheLeader: SearchTest = {
  ...part,
  name: 'SearchLoseLeader',
  title: 'a command is committed, then the leader is lost',
  stages: [
    ...c1OnTwo,
    {
      name: 'server 0 is lost, and both others stand',
      begin: [crash(0), sides([0], [1, 2])],
      budgets: { timeouts: [0, 1, 1] },
      goal: null,
    },
    {
      name: 'server 2, which has no c1, stands, with a client',
      budgets: { timeouts: [0, 0, 3], requests: 1 },
      goal: null,
    },
    {
      name: 'who has c1 is elected',
      budgets: { timeouts: [0, 2, 1] },
      goal: goal('server 1 leads', leads(1)),
    },
    {
      name: 'and commits c2 behind it',
      begin: [client(1)],
      budgets: { timeouts: [0, 3, 0] },
      goal: goal('servers 1 and 2 apply both', applied(2, [1, 2])),
    },
    {
      name: 'server 0 comes back',
      begin: [restart(0), sides([0, 1, 2])],
      budgets: { timeouts: [0, 3, 0] },
      goal: goal('server 0 applies both', applied(2, [0])),
    },
  ],
};

/** One server goes ahead by itself: the others lead a later term meanwhile. */
const conflict: readonly SearchStage[] = [
  zeroLeads,
  {
    name: 'c1 and c2 are in its log alone',
    begin: [sides([0], [1, 2]), client(0), client(0), lose(0, null)],
    budgets: {},
    goal: goal('nothing is committed', uncommitted()),
  },
  {
    name: 'server 2 leads the others',
    begin: [lose(null, null)],
    budgets: { timeouts: [0, 1, 2] },
    goal: goal('server 2 leads', leads(2), inTerm(2, 2)),
  },
  {
    name: 'c3 is committed there',
    begin: [client(2)],
    budgets: { timeouts: [0, 0, 3] },
    goal: goal('servers 1 and 2 apply c3', applied(1, [1, 2])),
  },
];

const completeness: SearchTest = {
  ...part,
  name: 'SearchLongerLog',
  title: 'a longer log of an earlier term does not win',
  stages: [
    ...conflict,
    {
      name: 'server 0 comes back and stands, with a client',
      begin: [lose(null, null), sides([0, 1, 2])],
      budgets: { timeouts: [2, 0, 0], requests: 1 },
      goal: null,
    },
    {
      name: 'server 0 stands where its two votes would be enough',
      begin: [crash(0), restart(0), sides([0, 1], [2])],
      budgets: { timeouts: [4, 0, 0], requests: 1 },
      goal: null,
    },
  ],
};

const converge: SearchTest = {
  ...part,
  name: 'SearchConverge',
  title: 'logs converge after a conflict',
  stages: [
    ...conflict,
    {
      name: 'server 1 leads next, and believes that server 0 has all it has',
      begin: [crash(2), restart(2), lose(null, null)],
      budgets: { timeouts: [0, 3, 0] },
      goal: goal('server 1 leads', leadsAbove(1, 2)),
    },
    {
      name: 'server 0 comes back, and hears the new leader',
      begin: [lose(null, null), sides([0, 1, 2])],
      budgets: { timeouts: [0, 2, 0] },
      goal: null,
    },
    {
      name: 'the next command, and the log of the leader, go to all',
      begin: [client(1)],
      budgets: { timeouts: [1, 4, 0] },
      goal: goal('server 0 applies c4', applied(2, [0])),
    },
  ],
};

const figure8: SearchTest = {
  ...part,
  name: 'SearchFigure8',
  title: 'Figure 8: copies of an old term commit nothing',
  stages: [
    zeroLeads,
    {
      name: '(a) its entry c1 reaches nobody',
      begin: [client(0), sides([0], [1, 2]), lose(null, null)],
      budgets: {},
      goal: goal('nothing is committed', uncommitted()),
    },
    {
      name: '(b) server 2 leads the next term with server 1',
      budgets: { timeouts: [0, 1, 2] },
      goal: goal('server 2 leads', leads(2), inTerm(2, 2)),
    },
    {
      name: '(b) and its entry c2 reaches nobody',
      begin: [client(2), lose(null, null), sides([0, 1], [2])],
      budgets: {},
      goal: goal('nothing is committed', uncommitted()),
    },
    {
      name: '(c) server 0 leads again with server 1',
      budgets: { timeouts: [4, 1, 0] },
      goal: goal('server 0 leads', leadsAbove(0, 2)),
    },
    {
      name: '(c) it copies c1 to server 1',
      budgets: { timeouts: [2, 0, 0], vain: true },
      goal: goal('server 1 has it, and has told so', holds(1, 'c1'), settled([0, 1]), leads(0)),
    },
    { name: '(c) heartbeats, and what comes of them', budgets: { timeouts: [2, 0, 0] }, goal: null },
    {
      name: '(d) server 0 is lost; server 2, whose last entry is newer than c1, stands with server 1, with a client',
      begin: [crash(0), lose(null, null), sides([0], [1, 2])],
      budgets: { timeouts: [0, 0, 4], requests: 1 },
      goal: null,
    },
    {
      name: '(e) the others go on',
      budgets: { timeouts: [0, 3, 3], requests: 1 },
      goal: goal('something is committed', committed(1)),
    },
  ],
};

const lateAppend: SearchTest = {
  ...part,
  name: 'SearchLateAppend',
  title: 'an AppendEntries that comes late cuts nothing',
  stages: [
    { ...zeroLeads, begin: [sides([0, 1], [2])] },
    {
      name: 'a call with c1 will arrive twice',
      begin: [lose(null, null), client(0)],
      budgets: { timeouts: [1, 0, 0], duplicates: 1 },
      goal: goal('it is doubled', doubled(0, 1), uncommitted()),
    },
    {
      name: 'c1 and c2 are committed on servers 0 and 1, and one of the two has not arrived',
      begin: [client(0)],
      budgets: { timeouts: [4, 0, 0] },
      goal: goal('both are committed', committed(2), doubled(0, 1)),
    },
    { name: 'it arrives, among others', budgets: { timeouts: [1, 0, 0] }, goal: null },
    { name: 'it arrives', budgets: { vain: true }, goal: goal('nothing is on its way', settled([0, 1])) },
    {
      name: 'the leader is lost, and server 1 leads',
      begin: [crash(0), sides([0], [1, 2])],
      budgets: { timeouts: [0, 2, 1] },
      goal: goal('server 1 leads', leads(1)),
    },
    {
      name: 'c2 is where it was, and c3 behind it',
      begin: [client(1)],
      budgets: { timeouts: [0, 4, 0] },
      goal: goal('all three are applied', applied(3, [1, 2])),
    },
  ],
};

const survivesCrash: SearchTest = {
  ...part,
  name: 'SearchPersist',
  title: 'what a follower has acknowledged survives its crash',
  stages: [
    ...c1OnTwo,
    {
      name: 'server 1 crashes and comes back; server 0 is lost',
      begin: [crash(1), restart(1), crash(0), lose(null, null), sides([0], [1, 2])],
      budgets: { timeouts: [0, 1, 1], crashes: 1 },
      goal: null,
    },
    { name: 'server 1 leads', budgets: { timeouts: [0, 3, 1] }, goal: goal('server 1 leads', leads(1)) },
    {
      name: 'c2 comes behind c1',
      begin: [client(1)],
      budgets: { timeouts: [0, 3, 0] },
      goal: goal('servers 1 and 2 apply both', applied(2, [1, 2])),
    },
  ],
};

export const searchesOfTheLog: readonly SearchTest[] = [
  noMajority,
  loseTheLeader,
  completeness,
  converge,
  figure8,
  lateAppend,
  survivesCrash,
];
