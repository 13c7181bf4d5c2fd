/** The disturbing server, and PreVote (dissertation §4.2.3, §9.6). */
import type { Frame } from '../../engine/protocol.ts';
import { paperTimes } from '../../engine/setup.ts';
import { runUntil, stepBy } from '../session.ts';
import { frame } from '../store.ts';
import { cutOff, fire, heal, leads, serverIn, waitUntil } from './hands.ts';
import type { Stop, Tour } from './tour.ts';

export const disturbance: Tour = {
  id: 'disturbance',
  title: 'The server that disturbs',
  about: 'A server that was cut off comes back with a high term and deposes a healthy leader (dissertation §4.2.3).',
  minutes: 3,
  run: {
    title: 'Tour: the server that disturbs',
    options: { servers: 3, timing: 'clock', seed: 4, raft: { ...paperTimes, stableLeadership: false } },
    bug: null,
    requestEvery: null,
  },
  stops: [
    begin('Here PreVote is off: this is the Raft of the paper.'),
    isolate('It stands, gets no answer, stands again: each time in a higher term. Nobody hears of it, yet.', true),
    {
      says: [
        'n3 is in a term far above the others’. When the link mends, its requests carry that term to everybody, and a leader that sees a higher term must step down (§5.1).',
      ],
      task: {
        asks: 'Mend the links (h), then run on until somebody leads again (u).',
        isDone: (moment) => moment.cuts.length === 0 && Math.min(...moment.servers.map(({ term }) => term)) >= 3,
        show: async () => {
          await heal();
          await runUntil({ kind: 'term', atLeast: highestTerm() + 1 });
          await runUntil({ kind: 'agreed' });
        },
      },
    },
    {
      says: [
        'A healthy leader was deposed by a server that had nothing to say: an election for nothing, and clients that wait.',
        'The tour “PreVote” has the same cluster with the remedy switched on.',
      ],
      tab: 'Space-time',
    },
  ],
};

export const preVote: Tour = {
  id: 'prevote',
  title: 'PreVote: the same, undisturbed',
  about: 'Who would lose the election anyway does not begin one (dissertation §9.6).',
  minutes: 2,
  run: {
    title: 'Tour: PreVote',
    options: { servers: 3, timing: 'clock', seed: 4, raft: { ...paperTimes, stableLeadership: true } },
    bug: null,
    requestEvery: null,
  },
  stops: [
    begin('PreVote is on, as it is by default: before it stands, a server asks whether the others would vote for it.'),
    isolate(
      'It asks, and nobody answers: so it does not stand. Its term stays as it is, however long this lasts.',
      false,
    ),
    {
      says: ['n3 is still in the leader’s term. Nothing that it says can depose anybody.'],
      task: {
        asks: 'Mend the links (h) and play on: the leader stays.',
        isDone: (moment) => moment.cuts.length === 0 && serverIn(moment, 'n3')?.leader === 'n1',
        show: async () => {
          await heal();
          await runUntil({ kind: 'agreed' });
          await stepBy(20);
        },
      },
    },
  ],
};

function highestTerm(): number {
  return Math.max(0, ...(frame.value?.servers.map(({ term }) => term) ?? []));
}

function begin(says: string): Stop {
  return {
    says: [says],
    task: {
      asks: 'Have n1 elected: run on until n1 leads, or fire its election timer and press n.',
      isDone: (moment) => leads(moment, 'n1'),
      show: async () => {
        await fire('n1');
        await runUntil({ kind: 'leader', server: 'n1' });
        await runUntil({ kind: 'agreed' });
      },
    },
  };
}

function isolate(says: string, climbs: boolean): Stop {
  const isThere = (moment: Frame): boolean => {
    const n3 = serverIn(moment, 'n3');
    if (n3 === null || moment.cuts.length < 4) return false;
    return climbs ? n3.term >= 4 : n3.role === 'preCandidate';
  };
  return {
    says: [says],
    task: {
      asks: climbs
        ? 'Cut n3 off (click it, “cut all its links”), and let time go on (Space) until it is in term 4.'
        : 'Cut n3 off (click it, “cut all its links”), and let time go on (Space) until it asks.',
      isDone: isThere,
      show: async () => {
        await cutOff(['n3']);
        await waitUntil(isThere);
      },
    },
  };
}
