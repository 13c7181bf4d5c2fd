/** What is known of the servers of a Raft in the lab at a moment of its run: what they said of themselves, applied and were handed. */
import type { SeenRecord } from '@quorate/sim';
import type { SeenServer } from './predicates.ts';
import { tailLength } from './server-view.ts';
import type { CutView, EntryView, LogWindow, ServerView } from './views.ts';

export interface KnownEntry {
  readonly index: number;
  /** 0: nobody has said. */
  readonly term: number;
  readonly text: string;
}

export interface KnownServer {
  readonly isUp: boolean;
  readonly term: number;
  readonly isLeader: boolean;
  readonly applied: number;
  /** A snapshot stands for what lies before. */
  readonly base: number;
  readonly savedBytes: number;
  readonly snapshotBytes: number;
}

const unknown: KnownServer = {
  isUp: false,
  term: 0,
  isLeader: false,
  applied: 0,
  base: 0,
  savedBytes: 0,
  snapshotBytes: 0,
};

/** The entries of one server: those that it applied, and behind them what it was handed as a leader. */
interface Entries {
  readonly applied: Map<number, KnownEntry>;
  readonly handed: Map<number, KnownEntry>;
}

export class SeenServers {
  readonly #ids: readonly string[];
  readonly #servers = new Map<string, KnownServer>();
  readonly #entries = new Map<string, Entries>();
  /** Terms of entries, by index and text: whoever was handed one has told its term. */
  readonly #terms = new Map<string, number>();
  #cuts: readonly CutView[] = [];

  constructor(ids: readonly string[]) {
    this.#ids = ids;
  }

  copy(): SeenServers {
    const copy = new SeenServers(this.#ids);
    for (const [id, server] of this.#servers) copy.#servers.set(id, server);
    for (const [id, { applied, handed }] of this.#entries) {
      copy.#entries.set(id, { applied: new Map(applied), handed: new Map(handed) });
    }
    for (const [name, term] of this.#terms) copy.#terms.set(name, term);
    copy.#cuts = this.#cuts;
    return copy;
  }

  get cuts(): readonly CutView[] {
    return this.#cuts;
  }

  server(id: string): KnownServer {
    return this.#servers.get(id) ?? unknown;
  }

  follow({ server, event }: SeenRecord): void {
    if (event.kind === 'links') this.#cuts = event.cut.map(linkOf);
    if (server === null) return;
    const known = this.server(server);
    const set = (changes: Partial<KnownServer>): void => void this.#servers.set(server, { ...known, ...changes });
    switch (event.kind) {
      case 'start':
        // What it had applied comes again, or stands in its snapshot.
        this.#entries.set(server, { applied: new Map(), handed: new Map() });
        return set({ isUp: true, isLeader: false, applied: 0, base: 0 });
      case 'crash':
        return set({ isUp: false, isLeader: false });
      case 'state':
        return set({ term: event.term, isLeader: event.isLeader });
      case 'save':
        return set({ savedBytes: event.bytes, snapshotBytes: event.snapshotBytes });
      case 'propose': {
        const { index, term, text, isLeader } = event;
        if (!isLeader) return;
        this.#terms.set(nameOf(index, text), term);
        this.#of(server).handed.set(index, { index, term, text });
        return;
      }
      case 'apply': {
        const { index, text } = event;
        const term = this.#terms.get(nameOf(index, text)) ?? 0;
        this.#of(server).applied.set(index, { index, term, text });
        this.#of(server).handed.delete(index);
        return set({ applied: Math.max(known.applied, index) });
      }
      case 'restore':
        this.#of(server).applied.clear();
        return set({ applied: event.index, base: event.index });
      default:
        return;
    }
  }

  #of(server: string): Entries {
    const known = this.#entries.get(server);
    if (known !== undefined) return known;
    const entries: Entries = { applied: new Map(), handed: new Map() };
    this.#entries.set(server, entries);
    return entries;
  }

  /** By index. What was handed to it and never applied may be gone: it is shown until something else stands there. */
  entries(id: string): readonly EntryView[] {
    const { applied, handed } = this.#of(id);
    const views = [
      ...[...applied.values()].map((entry) => entryView(entry, 'durable')),
      ...[...handed.values()].map((entry) => entryView(entry, 'volatile')),
    ];
    return views.sort((a, b) => a.index - b.index);
  }

  views(): readonly ServerView[] {
    const highestLed = Math.max(0, ...this.#ids.map((id) => (this.server(id).isLeader ? this.server(id).term : 0)));
    return this.#ids.map((id) => {
      const { isUp, term, isLeader, applied, base } = this.server(id);
      const entries = this.entries(id);
      const last = Math.max(applied, entries[entries.length - 1]?.index ?? 0);
      return {
        id,
        condition: isUp ? 'running' : 'down',
        role: isLeader ? 'leader' : 'follower',
        term,
        vote: null,
        leader: null,
        isStaleLeader: isLeader && term < highestLed,
        isSticky: false,
        seat: 'voter',
        isDoomed: false,
        votes: [],
        log: { base, snapshot: base, last, durable: applied, commit: applied, applied },
        tail: entries.slice(-tailLength),
        timers: [],
        lease: null,
        followers: [],
        pendingBatches: 0,
        broken: null,
      };
    });
  }

  logs(from: number, to: number): readonly LogWindow[] {
    return this.#ids.map((id) => ({
      server: id,
      entries: this.entries(id).filter(({ index }) => index >= from && index <= to),
    }));
  }

  /** As predicates ask for them. Entries whose term nobody has said are left out. */
  get seen(): readonly SeenServer[] {
    return this.#ids.map((id) => {
      const { isUp, isLeader, term, applied } = this.server(id);
      const cache = this.entries(id).filter((entry) => entry.term > 0);
      const role = isLeader ? ('leader' as const) : ('follower' as const);
      return { id, raft: isUp ? { role, term, commitIndex: applied, log: { lastIndex: applied, cache } } : null };
    });
  }
}

function linkOf(link: string): CutView {
  const [from = '', to = ''] = link.split('>');
  return { from, to };
}

function nameOf(index: number, text: string): string {
  return `${index} ${text}`;
}

function entryView({ index, term, text }: KnownEntry, durability: EntryView['durability']): EntryView {
  return { index, term, kind: 'command', text, durability };
}
