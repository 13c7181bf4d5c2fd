import { createServer, Socket } from 'node:net';
import type { Connection, ConnectionHandler, Listener, ListenerHandler, Network } from '../environment.ts';
import { AddressBook, parseAddress } from './address.ts';

const badAddress = 'the address is not of the form host:port';

/** Streams over TCP. */
export function tcpNetwork(): Network {
  const addresses = new AddressBook();
  return {
    connect: (address, handler) => TcpConnection.open(address, handler, addresses),
    listen: (address, handler) => listen(address, handler),
  };
}

class TcpConnection implements Connection {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  #handler: ConnectionHandler;
  #isCorked = false;
  #isClosed = false;
  #reason: string | null = null;
  #isRefused = false;
  #wantsDrain = false;

  constructor(socket: Socket, remoteAddress: string, handler: ConnectionHandler) {
    this.#socket = socket;
    this.#handler = handler;
    this.remoteAddress = remoteAddress;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) =>
      this.#handler.onData(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)),
    );
    socket.on('drain', () => this.#onDrain());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason = error.message;
      this.#isRefused = error.code === 'ECONNREFUSED';
    });
    socket.on('close', () => this.#onClose());
  }

  static open(address: string, handler: ConnectionHandler, addresses: AddressBook): TcpConnection {
    const socket = new Socket();
    const connection = new TcpConnection(socket, address, handler);
    socket.on('connect', () => handler.onOpen());
    const target = parseAddress(address);
    if (target === null) {
      socket.destroy(new Error(badAddress));
      return connection;
    }
    addresses.resolve(target.host, (error, host) => {
      if (socket.destroyed) return;
      if (error === null) socket.connect({ host, port: target.port });
      else socket.destroy(new Error(error));
    });
    return connection;
  }

  /** For accepted connections, whose handler is known only when the connection is. */
  setHandler(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosed || this.#socket.destroyed) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
  }

  notifyDrain(): void {
    this.#wantsDrain = true;
    // Nothing is queued any more: there will be no event to wait for.
    if (this.bufferedBytes === 0) setImmediate(() => this.#onDrain());
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onDrain(): void {
    if (!this.#wantsDrain || this.#isClosed || this.bufferedBytes > 0) return;
    this.#wantsDrain = false;
    this.#handler.onDrain();
  }

  #onClose(): void {
    this.#isClosed = true;
    this.#handler.onClose(this.#reason, this.#isRefused);
  }
}

function listen(address: string, handler: ListenerHandler): Listener {
  const target = parseAddress(address);
  if (target === null) {
    setImmediate(() => handler.onError(badAddress));
    return { close: () => undefined };
  }
  const server = createServer({ noDelay: true, allowHalfOpen: false }, (socket) => {
    const connection = new TcpConnection(socket, `${socket.remoteAddress}:${socket.remotePort}`, unset);
    connection.setHandler(handler.onConnection(connection));
  });
  server.on('error', (error) => handler.onError(error.message));
  server.on('listening', () => {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') return;
    handler.onListening(`${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`);
  });
  server.listen({ host: target.host === '' ? '::' : target.host, port: target.port });
  return { close: () => server.close() };
}

const unset: ConnectionHandler = {
  onOpen: () => undefined,
  onData: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};
