/** Figure 8 (§5.4.2): why a leader counts copies of its own term's entries only. */
import type { Frame } from '../../engine/protocol.ts';
import { paperTimes } from '../../engine/setup.ts';
import { crash, cutOff, drop, elect, heal, leads, persist, propose, restart, serverIn, settle } from './hands.ts';
import type { Tour } from './tour.ts';

const all = ['n1', 'n2', 'n3', 'n4', 'n5'];

/** n1 knows that n3 has its entry 2 on disk: with n2 and itself that makes three of five. */
function onMajority(moment: Frame): boolean {
  const n1 = serverIn(moment, 'n1');
  return leads(moment, 'n1') && (n1?.followers.find(({ id }) => id === 'n3')?.match ?? 0) >= 2;
}

export const figureEight: Tour = {
  id: 'figure-8',
  title: 'Figure 8',
  about: 'An entry on a majority of the servers may still be lost, unless it is of the leader’s own term (§5.4.2).',
  minutes: 6,
  run: {
    title: 'Tour: Figure 8',
    // One entry a message: so entry 2 can stand on a majority before the next one does.
    options: {
      servers: 5,
      timing: 'clock',
      seed: 5,
      raft: { ...paperTimes, stableLeadership: false, maxAppendBytes: 1 },
    },
    bug: null,
    requestEvery: null,
  },
  stops: [
    {
      says: [
        'The paper’s best-known figure, played on the real core. (a) n1 leads and commits its first entry everywhere.',
      ],
      task: {
        asks: 'Have n1 elected, and press n until all five have its first entry.',
        isDone: (moment) => leads(moment, 'n1') && moment.servers.every(({ log }) => log.last >= 1),
        show: async () => {
          await elect('n1', ['n2', 'n3', 'n4', 'n5']);
          await settle(all);
        },
      },
    },
    {
      says: ['Its next entry, 2 of term 1, reaches n2 alone. Then n1 crashes.'],
      task: {
        asks: 'Cut n1 and n2 off from the rest, propose at n1, let n2 have it, and crash n1.',
        isDone: (moment) =>
          serverIn(moment, 'n1')?.condition === 'down' && (serverIn(moment, 'n2')?.log.last ?? 0) >= 2,
        show: async () => {
          await settle(all);
          await cutOff(['n1', 'n2']);
          await propose('n1');
          await settle(['n1', 'n2']);
          await crash('n1');
        },
      },
    },
    {
      says: [
        '(b) n5 is elected by n3 and n4, who know nothing of entry 2, and writes another entry 2, of its own term. It reaches nobody: n5 crashes.',
      ],
      task: {
        asks: 'Elect n5 with n3 and n4, make its write durable, crash it, and drop what it has sent.',
        isDone: (moment) =>
          serverIn(moment, 'n5')?.condition === 'down' &&
          (serverIn(moment, 'n5')?.tail.at(-1)?.term ?? 0) >= 2 &&
          moment.messages.every(({ from }) => from !== 'n5') &&
          (serverIn(moment, 'n3')?.log.last ?? 0) === 1,
        show: async () => {
          await elect('n5', ['n3', 'n4']);
          await persist('n5');
          await crash('n5');
          await drop(({ from }) => from === 'n5');
        },
      },
    },
    {
      says: [
        '(c) n1 is back, and is elected by n2 and n3 in a later term. It goes on sending its old entry 2: n3 takes it.',
        'Three of five have entry 2 of term 1 now, a majority. Is it committed?',
      ],
      tab: 'Logs',
      task: {
        asks: 'Mend the links, restart n1, keep n4 away, and have n1 elected until n3 has acknowledged entry 2 of term 1.',
        isDone: onMajority,
        show: async () => {
          await heal();
          await restart('n1');
          await settle(['n1']);
          await cutOff(['n4']);
          // n3 has given its vote of the first term to n5.
          await elect('n1', ['n2', 'n3']);
          await elect('n1', ['n2', 'n3']);
          await settle(['n1', 'n2', 'n3'], onMajority);
        },
      },
    },
    {
      says: [
        'Look at C: n1 counts only entries of its own term. Its old entry is committed with the no-op behind it, once that has a majority, and not before.',
        'Had n1 crashed between the two, n5, whose last entry is of a later term, could have been elected by n3 and n4 and would have cut entry 2 on all of them: (d). With the no-op on a majority n5 cannot win any more: (e).',
      ],
      tab: 'Logs',
      task: {
        asks: 'Settle n1, n2 and n3 (press n). Then step back (p) to look at the moment when entry 2 had a majority and C stood before it.',
        isDone: (moment) => (serverIn(moment, 'n1')?.log.commit ?? 0) >= 3,
        show: () => settle(['n1', 'n2', 'n3']),
      },
    },
    {
      says: [
        'A leader that counted copies of older entries would have announced entry 2 and lost it. This is the most common bug of home-made Rafts; quorate check --bug figure8 finds it, and opens here.',
      ],
    },
  ],
};
