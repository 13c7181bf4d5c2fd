/**
 * Streams between servers. Whoever writes to one writes whole frames, so this network can treat frames as the messages that they
 * are: each may be lost, doubled, delayed, or overtake others. Handshakes and snapshots keep their order, as on any stream.
 */
import type { Connection, ConnectionHandler, Listener, ListenerHandler, Network } from '@quorate/runtime';
import type { RandomStream } from '../random.ts';
import type { WorldClock } from './clock.ts';
import { QueuedEvent } from './event-queue.ts';
import { isMessageFrame, splitFrames } from './frames.ts';
import type { LifeGuard } from './guard.ts';

/** How ill the network is. Plain data. In a thousand frames, where no unit is given. */
export interface NetworkFaults {
  readonly loss: number;
  readonly duplication: number;
  /** Frames that may be overtaken. */
  readonly reordering: number;
  /** How much later those arrive, at most. Microseconds. */
  readonly reorderMicros: number;
  /** One way, drawn evenly from [least, most]. Microseconds. */
  readonly latency: readonly [least: number, most: number];
}

export const healthyNetwork: NetworkFaults = {
  loss: 0,
  duplication: 0,
  reordering: 0,
  reorderMicros: 0,
  latency: [50, 300],
};

/** What a cut does to what is sent: nobody is told, or connections break. */
export type CutKind = 'silent' | 'reset';

interface Listening {
  readonly owner: string;
  readonly guard: LifeGuard;
  readonly handler: ListenerHandler;
}

export class VirtualNetwork {
  readonly clock: WorldClock;
  readonly #stream: RandomStream;
  readonly #listening = new Map<string, Listening>();
  readonly #connections = new Set<VirtualConnection>();
  readonly #cuts = new Links<CutKind>();
  /** Who listens at an address, or did last. */
  readonly #owners = new Map<string, string>();
  /** Servers whose machines have no power. */
  readonly #dark = new Set<string>();
  /** Nothing arrives over these before the given time. */
  readonly #clogs = new Links<number>();
  faults: NetworkFaults = healthyNetwork;
  /** Frames that were delivered, lost, doubled and overtaken: for coverage. */
  readonly counts = { delivered: 0, lost: 0, duplicated: 0, reordered: 0 };

  constructor(clock: WorldClock, stream: RandomStream) {
    this.clock = clock;
    this.#stream = stream;
  }

  /** The network as one server sees it. */
  of(server: string, guard: LifeGuard): Network {
    return {
      connect: (address, handler) => this.#connect(server, address, handler, guard),
      listen: (address, handler) => this.#listen(server, address, handler, guard),
    };
  }

  /** Nothing passes from `from` to `to` any more. */
  cut(from: string, to: string, kind: CutKind): void {
    this.#cuts.set(from, to, kind);
    if (kind === 'silent') return;
    for (const connection of this.#connections) {
      if (connection.owner === from && connection.far === to) connection.break();
    }
  }

  clog(from: string, to: string, until: number): void {
    this.#clogs.set(from, to, until);
  }

  /** Cuts and clogs end. A stream that lost more than messages meanwhile does not come back to life: it breaks. */
  heal(): void {
    this.#cuts.clear();
    this.#clogs.clear();
    for (const connection of this.#connections) if (connection.isWounded) connection.break();
  }

  /** Every connection between the two breaks, with what is on its way. */
  reset(a: string, b: string): void {
    for (const connection of this.#connections) {
      if (connection.owner === a && connection.far === b) connection.break();
    }
  }

  /**
   * The server's machine has no power: nobody is told, and whoever calls it gets no answer, until it is on again. What was on its way from
   * it arrives.
   */
  darken(server: string): void {
    this.#deafen(server);
    this.#dark.add(server);
    for (const connection of this.#connections) if (connection.owner === server) connection.vanish();
  }

  /** It is on again, and resets connections that it knows nothing of. */
  light(server: string): void {
    if (!this.#dark.delete(server)) return;
    for (const connection of this.#connections)
      if (connection.far === server && connection.isOrphan) connection.closed('connection reset');
  }

  #deafen(server: string): void {
    for (const [address, listening] of this.#listening) {
      if (listening.owner === server) this.#listening.delete(address);
    }
  }

  /** The server's process is gone: its sockets close at once. */
  kill(server: string): void {
    this.#deafen(server);
    for (const connection of this.#connections) if (connection.owner === server) connection.break();
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.get(from, to) !== undefined;
  }

  /** When something that leaves now arrives, at the earliest. */
  arrival(from: string, to: string): number {
    const [least, most] = this.faults.latency;
    const time = this.clock.now + this.#stream.between(least, most);
    return Math.max(time, this.#clogs.get(from, to) ?? 0);
  }

  /** A message between a client and a server, by itself: it arrives or is lost. */
  send(from: string, to: string, arrive: () => void): void {
    if (this.#stream.chance(this.faults.loss)) {
      this.counts.lost++;
      return;
    }
    this.clock.at(this.arrival(from, to), () => {
      if (this.isCut(from, to)) this.counts.lost++;
      else arrive();
    });
  }

  /** What becomes of one message: the times at which copies of it arrive, and whether it keeps its place in the stream. */
  fate(): 'lost' | 'doubled' | 'overtaken' | 'usual' {
    const { loss, duplication, reordering } = this.faults;
    if (this.#stream.chance(loss)) return 'lost';
    if (this.#stream.chance(duplication)) return 'doubled';
    return this.#stream.chance(reordering) ? 'overtaken' : 'usual';
  }

  get isGentle(): boolean {
    const { loss, duplication, reordering } = this.faults;
    return loss === 0 && duplication === 0 && reordering === 0;
  }

  detour(): number {
    return this.#stream.below(this.faults.reorderMicros + 1);
  }

  opened(connection: VirtualConnection): void {
    this.#connections.add(connection);
  }

  forget(connection: VirtualConnection): void {
    this.#connections.delete(connection);
  }

  #listen(owner: string, address: string, handler: ListenerHandler, guard: LifeGuard): Listener {
    const listening = { owner, guard, handler };
    const isTaken = this.#listening.has(address);
    if (!isTaken) {
      this.#listening.set(address, listening);
      this.#owners.set(address, owner);
    }
    const answer = (): void => (isTaken ? handler.onError('address in use') : handler.onListening(address));
    this.clock.after(0, answer, guard);
    return {
      close: () => {
        if (this.#listening.get(address) === listening) this.#listening.delete(address);
      },
    };
  }

  #connect(server: string, address: string, handler: ConnectionHandler, guard: LifeGuard): Connection {
    const near = new VirtualConnection(this, server, address, guard);
    near.handler = handler;
    this.clock.at(this.arrival(server, address), () => this.#arrive(near, address));
    return near;
  }

  #arrive(near: VirtualConnection, address: string): void {
    if (near.isClosed) return;
    const listening = this.#listening.get(address);
    if (listening === undefined) {
      if (!this.#dark.has(this.#owners.get(address) ?? '')) near.closed('connection refused', true);
      return;
    }
    const far = listening.owner;
    const cut = this.#cuts.get(near.owner, far) ?? this.#cuts.get(far, near.owner);
    if (cut === 'silent') return;
    if (cut === 'reset') return near.closed('no route to host');
    const accepted = new VirtualConnection(this, far, near.owner, listening.guard);
    near.far = far;
    near.peer = accepted;
    accepted.peer = near;
    this.opened(near);
    this.opened(accepted);
    const accept = (): void => {
      accepted.handler = listening.handler.onConnection(accepted);
      near.opened();
    };
    this.clock.after(0, accept, listening.guard);
  }
}

class VirtualConnection implements Connection {
  readonly owner: string;
  /** The server at the other end; until it is known, the address. */
  far: string;
  handler: ConnectionHandler | null = null;
  peer: VirtualConnection | null = null;
  bufferedBytes = 0;
  isClosed = false;
  /** Bytes are missing that no further message makes up for. */
  isWounded = false;
  /** The other end is gone, and this one was not told. */
  isOrphan = false;
  readonly #network: VirtualNetwork;
  readonly #guard: LifeGuard;
  #isPaused = false;
  #held: Uint8Array[] = [];
  #wantsDrain = false;
  #lastArrival = 0;

  constructor(network: VirtualNetwork, owner: string, far: string, guard: LifeGuard) {
    this.#network = network;
    this.owner = owner;
    this.far = far;
    this.#guard = guard;
  }

  get remoteAddress(): string {
    return this.far;
  }

  opened(): void {
    this.#tell((handler) => handler.onOpen());
  }

  write(bytes: Uint8Array): void {
    if (this.isClosed) return;
    const network = this.#network;
    const isLost = network.isCut(this.owner, this.far);
    if (isLost) this.#lose(bytes);
    if (isLost || network.isGentle) {
      this.#sendInOrder(bytes, !isLost);
      return;
    }
    for (const part of splitFrames(bytes)) {
      if (isMessageFrame(part)) this.#sendMessage(part);
      else this.#sendInOrder(part, true);
    }
  }

  notifyDrain(): void {
    this.#wantsDrain = true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#arrived(bytes);
  }

  end(): void {
    this.#network.clock.at(this.#nextArrival(), () => {
      this.peer?.closed(null);
      this.closed(null);
    });
  }

  destroy(): void {
    if (this.isClosed) return;
    this.#network.clock.at(this.#nextArrival(), () => this.peer?.closed('connection reset'));
    this.isClosed = true;
    this.#network.forget(this);
    this.#later(() => this.handler?.onClose(null, false));
  }

  /** This end is gone, and the other is not told. */
  vanish(): void {
    this.isClosed = true;
    this.#network.forget(this);
    if (this.peer !== null) this.peer.isOrphan = true;
  }

  /** Both ends hear of it; what is on its way is lost. */
  break(): void {
    this.peer?.closed('connection reset');
    this.closed('connection reset');
  }

  /** The other side, or the network, has ended it. What arrived before is delivered before. */
  closed(reason: string | null, isRefused = false): void {
    this.#network.forget(this);
    this.#later(() => {
      if (this.isClosed) return;
      this.isClosed = true;
      this.handler?.onClose(reason, isRefused);
    });
  }

  #lose(bytes: Uint8Array): void {
    this.#network.counts.lost++;
    if (!splitFrames(bytes).every(isMessageFrame)) this.isWounded = true;
  }

  #sendMessage(part: Uint8Array): void {
    const network = this.#network;
    const fate = network.fate();
    switch (fate) {
      case 'lost':
        network.counts.lost++;
        return;
      case 'doubled':
        network.counts.duplicated++;
        this.#sendApart(part);
        break;
      case 'overtaken':
        network.counts.reordered++;
        this.#sendApart(part);
        return;
      case 'usual':
        break;
    }
    this.#sendInOrder(part, true);
  }

  /** Outside the order of the stream. */
  #sendApart(bytes: Uint8Array): void {
    const network = this.#network;
    const time = network.arrival(this.owner, this.far) + network.detour();
    network.clock.schedule(time, new Arrival(this, bytes, 'apart'));
  }

  #sendInOrder(bytes: Uint8Array, arrives: boolean): void {
    this.bufferedBytes += bytes.length;
    const arrival = new Arrival(this, bytes, arrives ? 'in order' : 'lost');
    this.#network.clock.schedule(this.#nextArrival(), arrival);
  }

  /** What was written gets there now, or would have. */
  arrive(bytes: Uint8Array, how: ArrivalKind): void {
    if (how !== 'apart') this.bufferedBytes -= bytes.length;
    if (how !== 'lost') this.#deliver(bytes);
    if (how === 'apart' || this.bufferedBytes > 0 || !this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.#tell((handler) => handler.onDrain());
  }

  #deliver(bytes: Uint8Array): void {
    // A cut takes what is on its way as well.
    if (this.#network.isCut(this.owner, this.far)) {
      this.#lose(bytes);
      return;
    }
    this.#network.counts.delivered++;
    if (this.peer !== null) this.peer.#arrived(bytes);
  }

  #arrived(bytes: Uint8Array): void {
    if (this.isClosed) return;
    if (this.#isPaused) this.#held.push(bytes);
    else if (this.#guard.isAwake) this.#take(bytes);
    else this.#guard.run(() => this.#take(bytes));
  }

  #take(bytes: Uint8Array): void {
    // A copy: on a real wire nobody shares memory.
    if (!this.isClosed) this.handler?.onData(bytes.slice());
  }

  #tell(what: (handler: ConnectionHandler) => void): void {
    this.#later(() => {
      if (!this.isClosed && this.handler !== null) what(this.handler);
    });
  }

  #later(run: () => void): void {
    this.#network.clock.after(0, run, this.#guard);
  }

  /** A stream does not overtake itself. */
  #nextArrival(): number {
    this.#lastArrival = Math.max(this.#lastArrival, this.#network.arrival(this.owner, this.far));
    return this.#lastArrival;
  }
}

/** What was lost still takes its time: its writer does not know. */
type ArrivalKind = 'in order' | 'apart' | 'lost';

class Arrival extends QueuedEvent {
  readonly #connection: VirtualConnection;
  readonly #bytes: Uint8Array;
  readonly #kind: ArrivalKind;

  constructor(connection: VirtualConnection, bytes: Uint8Array, kind: ArrivalKind) {
    super();
    this.#connection = connection;
    this.#bytes = bytes;
    this.#kind = kind;
  }

  override happen(): void {
    this.#connection.arrive(this.#bytes, this.#kind);
  }
}

/** What is the matter with directed links: mostly nothing, and asked for every frame. */
class Links<Trouble> {
  readonly #all = new Map<string, Map<string, Trouble>>();

  get(from: string, to: string): Trouble | undefined {
    return this.#all.size === 0 ? undefined : this.#all.get(from)?.get(to);
  }

  set(from: string, to: string, trouble: Trouble): void {
    const known = this.#all.get(from);
    if (known === undefined) this.#all.set(from, new Map([[to, trouble]]));
    else known.set(to, trouble);
  }

  clear(): void {
    this.#all.clear();
  }
}
