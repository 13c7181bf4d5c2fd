import type { Connection, ConnectionHandler, Listener, ListenerHandler, Network } from '@quorate/runtime';
import type { Guard, VirtualWorld } from './virtual-world.ts';

interface Listening {
  readonly owner: string;
  readonly guard: Guard;
  readonly handler: ListenerHandler;
}

/** Streams between servers, with a delay, that break or fall silent where a test says so. */
export class VirtualNetwork {
  readonly world: VirtualWorld;
  /** One way, in microseconds: drawn from [min, max]. */
  latency = { min: 50, max: 300 };
  readonly #listening = new Map<string, Listening>();
  readonly #connections = new Set<VirtualConnection>();
  readonly #cut = new Set<string>();
  readonly #silent = new Set<string>();

  constructor(world: VirtualWorld) {
    this.world = world;
  }

  /** The network as one server sees it. */
  of(server: string, guard: Guard): Network {
    return {
      connect: (address, handler) => this.#connect(server, address, handler, guard),
      listen: (address, handler) => this.#listen(server, address, handler, guard),
    };
  }

  /** Nothing passes between the two any more, and their connections break. */
  cut(a: string, b: string): void {
    this.#cut.add(link(a, b));
    for (const connection of this.#connections) {
      if (link(connection.owner, connection.far) === link(a, b)) connection.closed('connection reset');
    }
  }

  /** Cuts the server off from all others of `servers`. */
  isolate(server: string, servers: readonly string[]): void {
    for (const other of servers) if (other !== server) this.cut(server, other);
  }

  /** Nothing passes between the two any more, and nobody is told. */
  silence(a: string, b: string): void {
    this.#silent.add(link(a, b));
  }

  heal(): void {
    this.#cut.clear();
    this.#silent.clear();
  }

  /** The server's process is gone: its sockets close at once. */
  kill(server: string): void {
    for (const [address, listening] of this.#listening) {
      if (listening.owner === server) this.#listening.delete(address);
    }
    for (const connection of this.#connections) {
      if (connection.owner === server || connection.far === server) connection.closed('connection reset');
    }
  }

  delay(): number {
    const { min, max } = this.latency;
    return min + (this.world.random.uint32() % (max - min + 1));
  }

  isSilent(a: string, b: string): boolean {
    return this.#silent.has(link(a, b));
  }

  forget(connection: VirtualConnection): void {
    this.#connections.delete(connection);
  }

  #listen(owner: string, address: string, handler: ListenerHandler, guard: Guard): Listener {
    if (this.#listening.has(address)) {
      this.world.after(
        0,
        guard(() => handler.onError('address in use')),
      );
      return { close: () => undefined };
    }
    const listening = { owner, guard, handler };
    this.#listening.set(address, listening);
    this.world.after(
      0,
      guard(() => handler.onListening(address)),
    );
    return {
      close: () => {
        if (this.#listening.get(address) === listening) this.#listening.delete(address);
      },
    };
  }

  #connect(server: string, address: string, handler: ConnectionHandler, guard: Guard): Connection {
    const near = new VirtualConnection(this, server, address, guard);
    near.handler = handler;
    this.world.after(this.delay(), () => this.#arrive(near, address));
    return near;
  }

  #arrive(near: VirtualConnection, address: string): void {
    const listening = this.#listening.get(address);
    if (listening === undefined || this.#cut.has(link(near.owner, listening.owner))) {
      near.closed('connection refused', listening === undefined);
      return;
    }
    if (near.isClosed || this.isSilent(near.owner, listening.owner)) return;
    const far = new VirtualConnection(this, listening.owner, near.owner, listening.guard);
    near.far = listening.owner;
    near.peer = far;
    far.peer = near;
    this.#connections.add(near).add(far);
    this.world.after(
      0,
      listening.guard(() => {
        far.handler = listening.handler.onConnection(far);
        near.opened();
      }),
    );
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
  readonly #network: VirtualNetwork;
  readonly #guard: Guard;
  #isPaused = false;
  #held: Uint8Array[] = [];
  #wantsDrain = false;
  #lastArrival = 0;

  constructor(network: VirtualNetwork, owner: string, far: string, guard: Guard) {
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
    this.bufferedBytes += bytes.length;
    this.#inOrder(() => {
      this.bufferedBytes -= bytes.length;
      if (this.#network.isSilent(this.owner, this.far)) return;
      this.peer?.arrived(bytes);
      if (this.bufferedBytes > 0 || !this.#wantsDrain) return;
      this.#wantsDrain = false;
      this.#tell((handler) => handler.onDrain());
    });
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
    for (const bytes of held) this.arrived(bytes);
  }

  end(): void {
    this.#inOrder(() => {
      this.peer?.closed(null);
      this.closed(null);
    });
  }

  destroy(): void {
    if (this.isClosed) return;
    this.#inOrder(() => this.peer?.closed('connection reset'));
    this.isClosed = true;
    this.#network.forget(this);
    this.#later(() => this.handler?.onClose(null, false));
  }

  arrived(bytes: Uint8Array): void {
    if (this.isClosed) return;
    // A copy: on a real wire nobody shares memory.
    const copy = bytes.slice();
    if (this.#isPaused) this.#held.push(copy);
    else this.#tell((handler) => handler.onData(copy));
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

  #tell(what: (handler: ConnectionHandler) => void): void {
    this.#later(() => {
      if (!this.isClosed && this.handler !== null) what(this.handler);
    });
  }

  #later(run: () => void): void {
    this.#network.world.after(0, this.#guard(run));
  }

  /** A stream does not overtake itself. */
  #inOrder(run: () => void): void {
    const { world } = this.#network;
    this.#lastArrival = Math.max(this.#lastArrival, world.now + this.#network.delay());
    world.at(this.#lastArrival, run);
  }
}

function link(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
