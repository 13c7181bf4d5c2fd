/** Searches in which something arrives long after it was sent: answers, snapshots, a client's question; and a change of members. */
import { goal } from '@quorate/sim';
import {
  applied,
  holds,
  inTerm,
  isCommitted,
  leads,
  leadsAbove,
  noneOnItsWay,
  onItsWay,
  uncommitted,
} from '../search/goals.ts';
import { client, crash, lose, restart, sides, snapshot, zeroLeads } from './search-steps.ts';
import type { SearchStage, SearchTest } from './search-test.ts';

/** Server 1 has c1 and c2 of term 1, and has told so. */
const acknowledged: SearchStage = {
  name: 'server 1 has c1 and c2, and its answers are late',
  begin: [lose(null, null), client(0), client(0), sides([0, 1], [2, 3, 4])],
  budgets: { timeouts: [2] },
  goal: goal(
    'the answers are on their way',
    holds(1, 'c1'),
    holds(1, 'c2'),
    onItsWay('answer', 1, 0),
    noneOnItsWay('call', 0, 1),
    uncommitted(),
  ),
};

/** Five servers: entries that only two have may still be overwritten. Then server 0 leads again, with a shorter log than before. */
const overwritten: readonly SearchStage[] = [
  {
    name: 'server 2 leads the others',
    begin: [lose(0, null)],
    budgets: { timeouts: [0, 0, 2] },
    goal: goal('server 2 leads', leads(2), inTerm(2, 2)),
  },
  {
    name: 'its c3 takes the place of c1 and c2 at server 1',
    begin: [lose(2, null), client(2), sides([0], [1, 2, 3], [4])],
    budgets: { timeouts: [0, 0, 3], unnoticed: 0 },
    goal: goal('servers 1 and 2 apply c3', applied(1, [1, 2])),
  },
  {
    name: 'and at server 0',
    begin: [lose(2, null), lose(3, null), lose(1, 2), sides([0, 2, 3], [1], [4])],
    budgets: { timeouts: [0, 0, 4] },
    goal: goal('server 0 applies c3', applied(1, [0])),
  },
  {
    name: 'server 0 leads again',
    begin: [lose(0, null), lose(2, null), lose(3, null), lose(4, null), sides([0, 3, 4], [1], [2])],
    budgets: { timeouts: [3] },
    goal: goal('server 0 leads', leadsAbove(0, 2)),
  },
];

const staleAnswer: SearchTest = {
  part: '4B',
  name: 'SearchStaleAnswer',
  title: 'an answer of an earlier term is not counted',
  servers: 5,
  isSearch: true,
  stages: [
    { ...zeroLeads, begin: [sides([0, 1, 2], [3], [4])] },
    acknowledged,
    ...overwritten,
    {
      name: 'its c4 reaches server 3 alone',
      begin: [lose(0, null), lose(3, null), client(0), sides([0, 3], [1], [2], [4])],
      budgets: { timeouts: [2] },
      goal: goal('server 3 has answered', onItsWay('answer', 3, 0)),
    },
    {
      name: 'the late answers of server 1 arrive',
      begin: [lose(0, null), sides([0, 1, 3], [2], [4])],
      budgets: { vain: true },
      goal: goal('all answers have come', noneOnItsWay('answer', 1, 0), noneOnItsWay('answer', 3, 0)),
    },
    {
      name: 'server 2 leads servers 1 and 4',
      begin: [...[0, 1, 2, 4].map(crash), ...[1, 2, 4].map(restart), lose(null, null), sides([1, 2, 4], [0], [3])],
      budgets: { timeouts: [0, 0, 4], unnoticed: 0 },
      goal: goal('server 2 leads', leadsAbove(2, 3)),
    },
    {
      name: 'its c5 is committed',
      begin: [lose(2, null), client(2)],
      budgets: { timeouts: [0, 0, 3], unnoticed: 0 },
      goal: goal('c5 is committed', isCommitted('c5')),
    },
  ],
};

const secondReign: SearchTest = {
  part: '4B',
  name: 'SearchSecondReign',
  title: 'what a leader knew of its followers holds for one term',
  servers: 5,
  isSearch: true,
  stages: [
    { ...zeroLeads, begin: [sides([0, 1, 2], [3], [4])] },
    acknowledged,
    {
      name: 'the answers arrive',
      budgets: { vain: true },
      goal: goal('all answers have come', noneOnItsWay('answer', 1, 0), uncommitted()),
    },
    ...overwritten,
    {
      name: 'its c4 reaches everybody',
      begin: [lose(null, null), client(0), sides([0, 1, 3], [2], [4])],
      budgets: { timeouts: [4] },
      goal: goal('server 1 has c4', holds(1, 'c4')),
    },
  ],
};

const c1AppliedOnTwo: readonly SearchStage[] = [
  { ...zeroLeads, begin: [sides([0, 1], [2])] },
  {
    name: 'c1 is applied on servers 0 and 1',
    begin: [lose(null, null), client(0)],
    budgets: { timeouts: [4, 0, 0] },
    goal: goal('both apply c1', applied(1, [0, 1])),
  },
];

const snapshots = { part: 'snapshots', servers: 3, isSearch: true, needs: 'snapshot' } as const;

const lateSnapshot: SearchTest = {
  ...snapshots,
  name: 'SearchLateSnapshot',
  title: 'two snapshots cross',
  stages: [
    ...c1AppliedOnTwo,
    {
      name: 'server 0 keeps a snapshot of it, and sends that to server 2',
      begin: [lose(null, null), snapshot(0)],
      budgets: { timeouts: [2, 0, 0] },
      goal: goal('it is on its way', onItsWay('call', 0, 2)),
    },
    {
      name: 'c2 is applied on servers 0 and 1',
      begin: [client(0)],
      budgets: { timeouts: [4, 0, 0] },
      goal: goal('both apply c2', applied(2, [0, 1])),
    },
    {
      name: 'a second snapshot, and all that is on its way arrives in any order',
      begin: [snapshot(0), lose(0, 1), sides([0, 1, 2])],
      budgets: { timeouts: [1, 0, 0] },
      goal: null,
    },
    {
      name: 'server 2 has all of it',
      budgets: { timeouts: [3, 0, 0] },
      goal: goal('server 2 applies c2', applied(2, [2])),
    },
  ],
};

const snapshotCrash: SearchTest = {
  ...snapshots,
  name: 'SearchSnapshotCrash',
  title: 'snapshots, and a crash at any moment',
  stages: [
    ...c1AppliedOnTwo,
    {
      name: 'snapshots, and a crash',
      begin: [lose(null, null), client(0)],
      budgets: { timeouts: [2, 0, 0], snapshots: 2, crashes: 1 },
      goal: null,
    },
    {
      name: 'server 1 crashes behind its snapshot, and server 2 hears of everything',
      begin: [snapshot(0), snapshot(1), crash(1), restart(1), sides([0, 1, 2])],
      budgets: { timeouts: [4, 0, 0] },
      goal: goal('all apply c2', applied(2, [0, 1, 2])),
    },
  ],
};

const staleRead: SearchTest = {
  part: 'kv',
  name: 'SearchStaleRead',
  title: 'a get that a stale leader is asked',
  servers: 3,
  isSearch: true,
  stages: [
    zeroLeads,
    {
      name: 'the first put, c1, is applied everywhere',
      begin: [lose(null, null), client(0)],
      budgets: { timeouts: [3, 0, 0] },
      goal: goal('all apply c1', applied(1, [0, 1, 2])),
    },
    {
      name: 'server 0 is cut off, and server 1 leads',
      begin: [lose(null, null), sides([0], [1, 2])],
      budgets: { timeouts: [0, 2, 1] },
      goal: goal('server 1 leads', leadsAbove(1, 1)),
    },
    {
      name: 'the second put, c2, is committed there',
      begin: [client(1)],
      budgets: { timeouts: [0, 3, 0] },
      goal: goal('servers 1 and 2 apply c2', applied(2, [1, 2])),
    },
    {
      name: 'the get, c3, goes to server 0, which does not know of it',
      begin: [lose(null, null), client(0), sides([0, 1, 2])],
      budgets: { timeouts: [2, 0, 0] },
      goal: null,
    },
    {
      name: 'server 0 hears of the second put',
      budgets: { timeouts: [1, 4, 0] },
      goal: goal('server 0 applies c2', applied(2, [0])),
    },
    {
      name: 'the get is asked again of server 1',
      begin: [client(1)],
      budgets: { timeouts: [0, 3, 0] },
      goal: goal('it is answered behind both', applied(3, [1]), isCommitted('c4')),
    },
  ],
};

const membership: SearchTest = {
  part: 'beyond',
  name: 'SearchMembership',
  title: 'a change of members meets an election',
  servers: 3,
  isSearch: true,
  needs: 'change',
  offers: [[0], [0, 1]],
  stages: [
    zeroLeads,
    {
      // Before that it may change nothing: what an earlier leader left could still become a configuration.
      name: 'server 0 has committed in its term',
      begin: [client(0)],
      budgets: { timeouts: [4, 0, 0] },
      goal: goal('server 0 applies c1', applied(1, [0])),
    },
    {
      name: 'cut off, server 0 is to be the only member, and is asked for a command; the others elect server 1',
      forget: true,
      begin: [sides([0], [1, 2]), { kind: 'change', server: 0, members: [0] }, client(0)],
      budgets: { timeouts: [0, 3, 2] },
      goal: goal('server 1 leads', leads(1)),
    },
    {
      name: 'they agree on another command: what server 0 has alone, it may not have applied',
      begin: [client(1)],
      budgets: { timeouts: [0, 2, 0] },
      goal: goal('servers 1 and 2 apply c3', applied(2, [1, 2])),
    },
    {
      name: 'server 0 comes back, and is a member as it was',
      begin: [sides([0, 1, 2])],
      budgets: { timeouts: [0, 4, 0] },
      goal: goal('server 0 applies c3', applied(2, [0])),
    },
    {
      name: 'server 1 is to leave server 2 out while server 0 stands',
      begin: [{ kind: 'change', server: 1, members: [0, 1] }],
      budgets: { timeouts: [1, 0, 0] },
      goal: null,
    },
    {
      name: 'server 2 is left out, and a command needs both others',
      begin: [client(1)],
      budgets: { timeouts: [0, 3, 0] },
      goal: goal('servers 0 and 1 apply c4', applied(3, [0, 1])),
    },
  ],
};

export const searchesOfLateMessages: readonly SearchTest[] = [
  staleAnswer,
  secondReign,
  lateSnapshot,
  snapshotCrash,
  staleRead,
  membership,
];
