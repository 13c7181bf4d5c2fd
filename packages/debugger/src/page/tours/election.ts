/** Election and split vote (§5.2). */
import { paperTimes } from '../../engine/setup.ts';
import { runUntil } from '../session.ts';
import { fire, inFlight, persist, deliver, serverIn } from './hands.ts';
import type { Tour } from './tour.ts';

export const election: Tour = {
  id: 'election',
  title: 'Election, and a split vote',
  about: 'How a term gets its leader, why it may get none, and what chance has to do with it (§5.2).',
  minutes: 4,
  run: {
    title: 'Tour: election',
    // Without PreVote: the paper's own election, one round of votes.
    options: { servers: 3, timing: 'clock', seed: 8, raft: { ...paperTimes, stableLeadership: false } },
    bug: null,
    requestEvery: null,
  },
  stops: [
    {
      says: [
        'Three servers have just started. All follow, in term 0, and nobody leads.',
        'The arc around each is its patience: an election timeout, drawn by chance between 150 and 300 ms. Whoever hears of no leader until it runs out stands for election.',
      ],
      task: {
        asks: 'Let n1 lose its patience: click n1, then “election timer: fire”.',
        isDone: (moment) => (serverIn(moment, 'n1')?.term ?? 0) >= 1,
        show: async () => void (await fire('n1')),
      },
    },
    {
      says: [
        'n1 is a diamond now: a candidate in term 1. It votes for itself.',
        'But it has sent nothing yet. Term and vote must be on its disk before any message of that term leaves: a candidate that forgot its vote in a crash could vote twice.',
      ],
      task: {
        asks: 'Make n1’s write durable: “n1 write: make durable” in the list.',
        isDone: (moment) => inFlight(moment, 'requestVote').length > 0,
        show: () => persist('n1'),
      },
    },
    {
      says: [
        'Two requests for votes are on their way (triangles). Were they to arrive now, n1 would lead.',
        'Let the others be quicker: if all three stand at once, each has given its vote to itself.',
      ],
      task: {
        asks: 'Fire the election timers of n2 and n3 before anything arrives.',
        isDone: (moment) => moment.servers.every(({ role }) => role === 'candidate' || role === 'leader'),
        show: async () => {
          await fire('n2');
          await fire('n3');
        },
      },
    },
    {
      says: [
        'Three candidates in one term, and one vote each. Let the requests arrive and look at the answers: hollow triangles.',
      ],
      task: {
        asks: 'Deliver every vote request and every answer (or press n until they have arrived).',
        isDone: (moment) =>
          moment.servers.every(({ pendingBatches }) => pendingBatches === 0) &&
          inFlight(moment, 'requestVote').length + inFlight(moment, 'requestVoteReply').length === 0,
        show: async () => {
          for (const id of ['n1', 'n2', 'n3']) await persist(id);
          await deliver(({ kind }) => kind === 'requestVote' || kind === 'requestVoteReply');
        },
      },
    },
    {
      says: [
        'A split vote: all refused each other, and term 1 will never have a leader. That is safe, only slow.',
        'Each has drawn a new timeout. Chance makes it unlikely that they stand together again: the first to lose its patience begins term 2 and asks while the others still wait.',
      ],
      task: {
        asks: 'Run on until somebody leads: press u, or play with Space.',
        isDone: (moment) => moment.servers.some(({ role }) => role === 'leader'),
        show: () => runUntil({ kind: 'leader', server: null }),
      },
    },
    {
      says: [
        'A hexagon: the leader. Its heartbeats (dots) wind the others’ arcs up again, so that nobody else stands.',
        'Look at the space-time diagram: the requests of the split vote cross each other, those of the next term do not.',
      ],
      tab: 'Space-time',
    },
  ],
};
