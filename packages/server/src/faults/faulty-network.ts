/**
 * A network that can be cut and slowed. A cut is a black hole, as a broken switch is: connections stay open, what is written
 * vanishes, nothing arrives. When it heals, connections that lost bytes are reset, and both ends connect anew.
 */
import type { Connection, ConnectionHandler, Listener, ListenerHandler, Network } from '@quorate/runtime';
import type { DelayLine } from './delay-line.ts';

/** Says which member an incoming connection's first bytes come from: null while they do not tell. */
export type PeerReader = (firstBytes: Uint8Array) => string | null;

/** First bytes kept to find out who connects; a hello is shorter. */
const maxFirstBytes = 4096;

export class FaultyNetwork implements Network {
  readonly #network: Network;
  readonly #line: DelayLine;
  readonly #memberAt: (address: string) => string | null;
  readonly #readPeer: PeerReader;
  readonly #connections = new Set<FaultyConnection>();
  #cut: ReadonlySet<string> = new Set();

  constructor(network: Network, line: DelayLine, memberAt: (address: string) => string | null, readPeer: PeerReader) {
    this.#network = network;
    this.#line = line;
    this.#memberAt = memberAt;
    this.#readPeer = readPeer;
  }

  /** Cuts traffic with exactly these members. */
  partition(members: ReadonlySet<string>): void {
    this.#cut = members;
    for (const connection of this.#connections) connection.heal();
  }

  isCut(member: string | null): boolean {
    return member !== null && this.#cut.has(member);
  }

  readPeer(firstBytes: Uint8Array): string | null {
    return this.#readPeer(firstBytes);
  }

  later(action: () => void): void {
    this.#line.run(action);
  }

  connect(address: string, handler: ConnectionHandler): Connection {
    const connection = new FaultyConnection(this, handler, this.#memberAt(address));
    connection.attach(this.#network.connect(address, connection));
    this.#connections.add(connection);
    return connection;
  }

  listen(address: string, handler: ListenerHandler): Listener {
    return this.#network.listen(address, {
      onListening: (bound) => handler.onListening(bound),
      onError: (reason) => handler.onError(reason),
      onConnection: (inner) => {
        const connection = new FaultyConnection(this, null, null);
        connection.attach(inner);
        connection.accept(handler.onConnection(connection));
        this.#connections.add(connection);
        return connection;
      },
    });
  }

  forget(connection: FaultyConnection): void {
    this.#connections.delete(connection);
  }
}

class FaultyConnection implements Connection, ConnectionHandler {
  readonly #network: FaultyNetwork;
  #inner: Connection | null = null;
  #handler: ConnectionHandler | null;
  /** Who is at the other end; of an incoming connection only once its first bytes have told. */
  #member: string | null;
  #first: Uint8Array = new Uint8Array(0);
  #lostBytes = false;
  #closed = false;

  constructor(network: FaultyNetwork, handler: ConnectionHandler | null, member: string | null) {
    this.#network = network;
    this.#handler = handler;
    this.#member = member;
  }

  attach(inner: Connection): void {
    this.#inner = inner;
  }

  accept(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  /** Resets the connection if it lost bytes and is not cut any more. */
  heal(): void {
    if (this.#lostBytes && !this.#network.isCut(this.#member)) this.destroy();
  }

  get remoteAddress(): string {
    return this.#inner?.remoteAddress ?? '';
  }

  get bufferedBytes(): number {
    return this.#inner?.bufferedBytes ?? 0;
  }

  write(bytes: Uint8Array): void {
    if (this.#swallows()) return;
    this.#network.later(() => {
      if (!this.#closed) this.#inner?.write(bytes);
    });
  }

  notifyDrain(): void {
    this.#network.later(() => this.#inner?.notifyDrain());
  }

  pause(): void {
    this.#inner?.pause();
  }

  resume(): void {
    this.#inner?.resume();
  }

  end(): void {
    this.#network.later(() => this.#inner?.end());
  }

  destroy(): void {
    this.#inner?.destroy();
  }

  onOpen(): void {
    // A connection that opens into a black hole would be one that never opens; its bytes vanish all the same.
    this.#handler?.onOpen();
  }

  onData(bytes: Uint8Array): void {
    this.#learnMember(bytes);
    if (!this.#swallows()) this.#handler?.onData(bytes);
  }

  onDrain(): void {
    this.#handler?.onDrain();
  }

  onClose(reason: string | null, isRefused: boolean): void {
    this.#closed = true;
    this.#network.forget(this);
    // Behind a cut nobody says that nobody listens.
    this.#handler?.onClose(reason, isRefused && !this.#network.isCut(this.#member));
  }

  #swallows(): boolean {
    if (!this.#network.isCut(this.#member)) return this.#lostBytes;
    this.#lostBytes = true;
    return true;
  }

  #learnMember(bytes: Uint8Array): void {
    if (this.#member !== null || this.#first.length > maxFirstBytes) return;
    const first = new Uint8Array(this.#first.length + bytes.length);
    first.set(this.#first);
    first.set(bytes, this.#first.length);
    this.#first = first;
    this.#member = this.#network.readPeer(first);
    if (this.#member !== null) this.#first = new Uint8Array(0);
  }
}
