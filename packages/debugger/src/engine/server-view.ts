/** Servers, messages and logs of a world as the page shows them. */
import {
  type CoreServer,
  type CoreWorld,
  describeMessage,
  type EntryView as SimEntryView,
  type ServerView as SimServerView,
  viewOf,
} from '@quorate/sim';
import { leaseLength, type LeaseOptions, type RaftState } from '@quorate/raft';
import type { CutView, EntryView, LeaseView, LogWindow, MessageView, Seat, ServerView } from './views.ts';

/** Entries that are shown beside a server in the ring. */
export const tailLength = 6;

/** `offset`: what is added to the server's clock to have the run's time. */
export function leaseOf(raft: RaftState | null, options: LeaseOptions, offset: number): LeaseView | null {
  const since = raft?.leadership?.lease.since ?? null;
  if (!options.leaseReads || since === null) return null;
  return { from: since + offset, until: since + offset + leaseLength(options) };
}

/** `lease`: of each server. */
export function serverViews(
  servers: readonly CoreServer[],
  lease: (server: CoreServer) => LeaseView | null,
): readonly ServerView[] {
  const views = servers.map((server) => ({ server, view: viewOf(server), lease: lease(server) }));
  const highest = Math.max(0, ...views.filter(({ view }) => view.role === 'leader').map(({ view }) => view.term));
  return views.map((each) => ({ ...serverView(each.view, each.server, highest), lease: each.lease }));
}

function serverView(view: SimServerView, server: CoreServer, highestLed: number): Omit<ServerView, 'lease'> {
  const { id, status, role, term, vote, leader, votes, timers, followers, failure } = view;
  return {
    id,
    condition: status === 'broken' ? 'down' : status,
    role: role ?? 'follower',
    term,
    vote,
    leader,
    isStaleLeader: role === 'leader' && term < highestLed,
    isSticky: server.raft?.sticky ?? false,
    seat: seatOf(view),
    isDoomed: view.crashesAtDisk,
    votes,
    log: {
      base: view.baseIndex,
      snapshot: view.snapshotIndex,
      last: view.lastIndex,
      durable: server.raft?.durability.durableIndex ?? view.durable.lastIndex,
      commit: view.commitIndex,
      applied: view.appliedIndex,
    },
    tail: view.entries.slice(-tailLength).map(entryView),
    // Without a clock a timer has no time to run out at.
    timers: timers.filter(({ due }) => due > 0).map(({ name, armedAt, due }) => ({ name, armedAt, dueAt: due })),
    followers,
    pendingBatches: view.batchesUnderWay,
    broken: failure,
  };
}

function seatOf({ id, voters, outgoing, learners }: SimServerView): Seat {
  if (voters.includes(id) || outgoing.includes(id)) return 'voter';
  return learners.includes(id) ? 'learner' : 'none';
}

const durabilities = { volatile: 'volatile', written: 'written', fsynced: 'durable', faulty: 'faulty' } as const;

function entryView({ index, term, kind, text, durability }: SimEntryView): EntryView {
  return { index, term, kind, text: text === '' ? words[kind] : text, durability: durabilities[durability] };
}

const words = {
  noop: 'no-op: a new leader commits what earlier terms left (§8)',
  command: '(empty)',
  configuration: 'a configuration',
};

/** The entries from `from` to `to`, both included, of every log. */
export function logWindows(servers: readonly CoreServer[], from: number, to: number): readonly LogWindow[] {
  return servers.map((server) => {
    const { id, entries } = viewOf(server);
    const inside = entries.filter(({ index }) => index >= from && index <= to);
    return { server: id, entries: inside.map(entryView) };
  });
}

export function messageViews(world: CoreWorld, now: number): readonly MessageView[] {
  const isTimed = world.setting.timing === 'clock';
  const waiting = isTimed ? null : new WaitingPlaces(world);
  return world.flights.map(({ id, message, sentAt, due }) => ({
    id,
    from: message.from,
    to: message.to,
    kind: message.kind,
    term: message.term,
    summary: describeMessage(message),
    ...(waiting === null ? { sentAt, dueAt: due } : waiting.next(`${message.from}>${message.to}`, now)),
  }));
}

/** Without a clock nobody knows when a message arrives: those of one link stand at even distances on it, the oldest in front. */
class WaitingPlaces {
  readonly #count = new Map<string, number>();
  readonly #placed = new Map<string, number>();

  constructor(world: CoreWorld) {
    for (const { message } of world.flights) {
      const link = `${message.from}>${message.to}`;
      this.#count.set(link, (this.#count.get(link) ?? 0) + 1);
    }
  }

  next(link: string, now: number): Pick<MessageView, 'sentAt' | 'dueAt'> {
    const placed = (this.#placed.get(link) ?? 0) + 1;
    this.#placed.set(link, placed);
    const places = (this.#count.get(link) ?? 0) + 1;
    return { sentAt: now - (places - placed), dueAt: now + placed };
  }
}

export function cutViews(world: CoreWorld): readonly CutView[] {
  const { ids } = world.setting;
  return ids.flatMap((from) => ids.filter((to) => to !== from && world.isCut(from, to)).map((to) => ({ from, to })));
}
