/** A vote that was never synced (§5.2; Figure 2, "persistent state"). */
import { paperTimes } from '../../engine/setup.ts';
import { crash, deliver, fire, inFlight, leads, persist, restart, serverIn, settle } from './hands.ts';
import type { Tour } from './tour.ts';

export const lostVote: Tour = {
  id: 'lost-vote',
  title: 'A vote that was never on disk',
  about: 'Why an answer waits for the disk: a vote that a crash can take back must never have been given.',
  minutes: 3,
  run: {
    title: 'Tour: a lost vote',
    options: { servers: 3, timing: 'clock', seed: 2, raft: { ...paperTimes, stableLeadership: false } },
    bug: null,
    requestEvery: null,
  },
  stops: [
    {
      says: ['n1 stands in term 1, and its request reaches n3 first.'],
      task: {
        asks: 'Fire n1’s election timer, make its write durable, and deliver requestVote n1→n3.',
        isDone: (moment) => serverIn(moment, 'n3')?.vote === 'n1',
        show: async () => {
          await fire('n1');
          await persist('n1');
          await deliver(({ kind, to }) => kind === 'requestVote' && to === 'n3');
        },
      },
    },
    {
      says: [
        'n3 has voted for n1, in memory. Look at the inspector: the write is on its way, and the answer is held until batch 1 is durable.',
        'Persist before promise. What would happen without it? Let the power fail now.',
      ],
      task: {
        asks: 'Crash n3 before its write is durable, and restart it.',
        isDone: (moment) => {
          const n3 = serverIn(moment, 'n3');
          return n3?.condition === 'running' && n3.vote === null && n3.term === 0;
        },
        show: async () => {
          await crash('n3');
          await restart('n3');
        },
      },
    },
    {
      says: [
        'n3 is back in term 0 and has voted for nobody. It remembers nothing. And n2 stands as well, in the same term 1.',
      ],
      task: {
        asks: 'Fire n2’s election timer before anything else reaches it, and have n3 vote for it until n2 leads.',
        isDone: (moment) => leads(moment, 'n2'),
        show: async () => {
          await fire('n2');
          await settle(['n2', 'n3']);
        },
      },
    },
    {
      says: [
        'n2 leads term 1, with the vote of n3. Had n3’s first answer left before its disk had the vote, n1 would have counted it: two leaders of one term, and invariant A6 broken.',
        'It had not. n1 never heard of that vote.',
      ],
      task: {
        asks: 'Let everything arrive and see n1 follow (press n, or play).',
        isDone: (moment) => serverIn(moment, 'n1')?.leader === 'n2' && inFlight(moment, 'requestVote').length === 0,
        show: () => settle(['n1', 'n2', 'n3']),
      },
    },
    { says: ['All invariants held: the panel says so for every step of this branch.'], tab: 'Invariants' },
  ],
};
