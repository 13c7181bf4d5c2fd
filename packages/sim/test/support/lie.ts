/** Scenes for tests of the judges: a good cluster, in which then something is said or found that cannot be. */
import type {
  Input,
  Message,
  Output,
  Outgoing,
  PersistBatch,
  RaftDefaults,
  RaftState,
  RecoveredState,
} from '@quorate/raft';
import { type AppliedEntry, blindWatcher, Invariants, Violation, type WorldWatcher } from '../../src/index.ts';
import type { CoreServer } from './core-server.ts';
import { CoreWorld } from './core-world.ts';

export const nothing: Output = {
  persist: null,
  send: [],
  arm: [],
  restore: null,
  apply: null,
  load: [],
  takeSnapshot: false,
  proposals: [],
  reads: [],
  changes: [],
  transfers: [],
  events: [],
};

export class Scene {
  readonly invariants: Invariants;
  readonly world: CoreWorld;
  readonly leader: CoreServer;
  readonly follower: CoreServer;
  readonly other: CoreServer;
  readonly applied: AppliedEntry[] = [];

  /** Three servers at rest behind some commands that all have applied. `only`: the one invariant that is judged. */
  constructor(
    distort: (output: Output, server: CoreServer, world: CoreWorld) => Output = (output) => output,
    raft: Partial<RaftDefaults> = {},
    only: string | null = null,
  ) {
    this.invariants = new Invariants({ only });
    const recorder: WorldWatcher = {
      ...blindWatcher,
      onApply: (_server, entry) => void this.applied.push(entry),
    };
    this.world = new CoreWorld({ seed: 7, servers: 3, raft, watchers: [this.invariants, recorder], distort });
    this.#settle();
    const { leader } = this.world;
    if (leader === undefined) throw new Error('Nobody leads.');
    const [follower, other] = this.world.servers.filter((server) => server !== leader);
    if (follower === undefined || other === undefined) throw new Error('There are no followers.');
    this.leader = leader;
    this.follower = follower;
    this.other = other;
  }

  /** A command is proposed to the leader and everything about it done. */
  write(id: number): void {
    this.propose(id);
    this.#settle();
  }

  #settle(): void {
    if (!this.world.settle()) throw new Error('The good cluster does not come to rest.');
  }

  /** A command is proposed to the leader; nothing else happens. */
  propose(id: number): void {
    const commands = [new TextEncoder().encode(`command ${id}`)];
    this.leader.input({ kind: 'propose', id, commands, now: this.world.now });
  }

  /** The judges are told of an input that the core never got. */
  input(
    server: CoreServer,
    input: Partial<Input> & Pick<Input, 'kind'> = { kind: 'unreachable', peer: 'nobody' },
  ): void {
    this.invariants.onInput(server.id, { now: server.core.state.now, ...input } as Input);
  }

  message(server: CoreServer, message: Message): void {
    this.input(server, { kind: 'message', message });
  }

  /** The judges are told of an output that the core never gave. */
  output(server: CoreServer, output: Partial<Output>): void {
    this.invariants.onOutput(server.id, { ...nothing, ...output });
  }

  sends(server: CoreServer, message: Message, after = 0): void {
    const outgoing: Outgoing = { message, after };
    this.output(server, { send: [outgoing] });
  }

  persists(server: CoreServer, batch: Partial<PersistBatch>): void {
    const id = server.core.state.durability.nextBatch;
    const still = { hardState: null, truncateFrom: 0, entries: [], snapshot: null, adopt: null, repairs: [] };
    this.output(server, { persist: { id, ...still, ...batch } });
  }

  /** The server comes back with this instead of what its disk holds. */
  restarts(server: CoreServer, change: (recovered: RecoveredState) => RecoveredState): void {
    const { core, options } = server;
    const recovered = change(server.disk.recovered(100));
    this.invariants.onCrash(server.id);
    this.invariants.onStart(server.id, { options, recovered, raft: core });
  }
}

/** The state itself: to be spoilt. */
export function stateOf(server: CoreServer): RaftState {
  return server.core.state;
}

export function envelope(from: CoreServer, to: CoreServer, term = from.core.term) {
  return { group: 0, from: from.id, to: to.id, incarnation: from.incarnation, term } as const;
}

/** The id of the invariant that `act` breaks. */
export function broken(act: () => void): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Violation) return error.invariant;
    throw error;
  }
  return 'none';
}
