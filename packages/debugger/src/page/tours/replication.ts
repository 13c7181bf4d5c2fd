/** Replication and repair (§5.3). */
import { paperTimes } from '../../engine/setup.ts';
import { cutOff, elect, heal, leads, propose, serverIn, settle } from './hands.ts';
import { runUntil } from '../session.ts';
import type { Tour } from './tour.ts';

const all = ['n1', 'n2', 'n3'];

export const replication: Tour = {
  id: 'replication',
  title: 'Replication, and a log that is repaired',
  about: 'From a client’s command to a committed entry, and what becomes of entries that were never committed (§5.3).',
  minutes: 5,
  run: {
    title: 'Tour: replication',
    options: { servers: 3, timing: 'clock', seed: 3, raft: { ...paperTimes, stableLeadership: false } },
    bug: null,
    requestEvery: null,
  },
  stops: [
    {
      says: ['First, a leader.'],
      task: {
        asks: 'Have n1 elected: fire its election timer, then press n until it leads.',
        isDone: (moment) => leads(moment, 'n1'),
        show: () => elect('n1', ['n2', 'n3']),
      },
    },
    {
      says: ['A new leader begins its term with an entry of its own (∅). Now a client has something to say.'],
      tab: 'Logs',
      task: {
        asks: 'Click n1 in the ring or in the list, and choose “propose”.',
        isDone: (moment) => (serverIn(moment, 'n1')?.log.last ?? 0) >= 2,
        show: async () => {
          await settle(all);
          await propose('n1');
        },
      },
    },
    {
      says: [
        'The entry is on its way to n1’s disk (dashed border) and, at the same time, to the others: AppendEntries do not wait for the leader’s own disk.',
        'An acknowledgement waits for the follower’s disk. With the second durable copy there is a majority: the leader moves C behind the entry, and that cannot be undone.',
      ],
      tab: 'Logs',
      task: {
        asks: 'Press n until n1 has committed entry 2: C stands behind it.',
        isDone: (moment) => (serverIn(moment, 'n1')?.log.commit ?? 0) >= 2,
        show: () => settle(all),
      },
    },
    {
      says: ['Now n1 is cut off, without knowing it, and a client that still talks to it proposes something.'],
      tab: 'Cluster',
      task: {
        asks: 'Draw a line around n1 (or choose “cut all its links”), then have it propose.',
        isDone: (moment) => moment.cuts.length >= 4 && (serverIn(moment, 'n1')?.log.last ?? 0) >= 3,
        show: async () => {
          await cutOff(['n1']);
          await propose('n1');
        },
      },
    },
    {
      says: ['Entry 3 stands in n1’s log alone: no majority, no C. Meanwhile the others get impatient.'],
      task: {
        asks: 'Have n2 elected by n3, and let a client propose to n2.',
        isDone: (moment) => leads(moment, 'n2') && (serverIn(moment, 'n2')?.log.last ?? 0) >= 4,
        show: async () => {
          await settle(['n2', 'n3']);
          await elect('n2', ['n3']);
          await propose('n2');
          await settle(['n2', 'n3']);
        },
      },
    },
    {
      says: [
        'Two leaders at once: n1 of the past (dashed), n2 of term 2. Entry 3 is of term 1 at n1 and of term 2 at the others.',
      ],
      tab: 'Logs',
      task: {
        asks: 'Mend the links (h) and run on until all agree (press u).',
        isDone: (moment) => {
          const [first, ...rest] = moment.servers;
          return moment.cuts.length === 0 && rest.every(({ log }) => log.last === first?.log.last && log.last >= 4);
        },
        show: async () => {
          await heal();
          await runUntil({ kind: 'agreed' });
        },
      },
    },
    {
      says: [
        'n1 heard of term 2 and stepped down. The leader’s AppendEntries found where the logs part; n1 cut its entry 3 and took the leader’s.',
        'What n1’s client proposed is gone. It never had an answer, so nobody was lied to. Hover over entry 3 to see who created it and who acknowledged it.',
      ],
      tab: 'Logs',
    },
  ],
};
