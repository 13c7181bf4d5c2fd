/**
 * The one port for clients: gRPC (HTTP/2 with prior knowledge) and HTTP/1 side by side, told apart by the first bytes.
 * With TLS they will be told apart by ALPN instead; `dispatch` is where both ways meet.
 */
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '@quorate/runtime';
import type { RpcEngine } from './rpc/engine.ts';

export interface ClientPortOptions {
  readonly engine: RpcEngine;
  readonly http: HttpServer;
  readonly logger: Logger;
  /** Told of connections that come and go, for `--debug connections`. */
  readonly onConnection?: (what: 'opened' | 'closed', remote: string) => void;
  readonly limits?: Partial<ClientPortLimits>;
}

export interface ClientPortLimits {
  /** Open connections on one address; more are closed at once. */
  readonly maxConnections: number;
  /** A new connection must say within this time what it speaks. Milliseconds. */
  readonly sniffTimeoutMs: number;
  /** Silence after which the system asks whether the other end still lives. Milliseconds. */
  readonly keepAliveMs: number;
}

export const defaultClientPortLimits: ClientPortLimits = {
  maxConnections: 10_000,
  sniffTimeoutMs: 10_000,
  keepAliveMs: 30_000,
};

/** Refused connections are reported at most this often. Milliseconds. */
const dropReportMs = 10_000;

/** How an HTTP/2 connection begins (RFC 9113 §3.4). No HTTP/1 method shares its first three bytes. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const tellingBytes = 3;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export class ClientPort {
  readonly #options: ClientPortOptions;
  readonly #limits: ClientPortLimits;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #dropped = 0;
  #dropReport: NodeJS.Timeout | null = null;

  constructor(options: ClientPortOptions) {
    this.#options = options;
    this.#limits = { ...defaultClientPortLimits, ...options.limits };
  }

  /** Listens on one more address; answers with the port that was bound. */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: this.#limits.keepAliveMs });
    server.maxConnections = this.#limits.maxConnections;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('drop', () => this.#countDrop());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address.port, address.host, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => {
      this.#options.logger.log('error', 'The client port cannot accept connections', { reason: error.message });
    });
    this.#servers.push(server);
    const bound: AddressInfo | string | null = server.address();
    return typeof bound === 'object' && bound !== null ? { host: address.host, port: bound.port } : address;
  }

  /** Accepts nothing more. Connections that are open go on; engine and HTTP server close theirs. */
  stopListening(): void {
    for (const server of this.#servers) server.close();
  }

  /** Closes what is still open. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#dropReport !== null) clearTimeout(this.#dropReport);
  }

  /** At once for the first, then by number: a flood of connections must not become a flood of lines. */
  #countDrop(): void {
    this.#dropped += 1;
    if (this.#dropReport === null) this.#reportDrops();
  }

  #reportDrops(): void {
    this.#options.logger.log('warn', 'Too many client connections: new ones are closed at once', {
      connections: this.#sockets.size,
      closed: this.#dropped,
    });
    this.#dropped = 0;
    this.#dropReport = setTimeout(() => {
      this.#dropReport = null;
      if (this.#dropped > 0) this.#reportDrops();
    }, dropReportMs);
    this.#dropReport.unref();
  }

  #accept(socket: Socket): void {
    const remote = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    this.#sockets.add(socket);
    this.#options.onConnection?.('opened', remote);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#options.onConnection?.('closed', remote);
    });
    sniff(socket, this.#limits.sniffTimeoutMs, (isHttp2) => this.#dispatch(socket, isHttp2));
  }

  #dispatch(socket: Socket, isHttp2: boolean): void {
    if (isHttp2) this.#options.engine.accept(socket);
    else this.#options.http.emit('connection', socket);
  }
}

/** Looks at a connection's first bytes, puts them back, and says what they are. Silence and early ends close it. */
function sniff(socket: Socket, timeoutMs: number, verdict: (isHttp2: boolean) => void): void {
  let first: Buffer = Buffer.alloc(0);
  const giveUp = setTimeout(() => socket.destroy(), timeoutMs);
  const stop = (): void => {
    clearTimeout(giveUp);
    socket.removeListener('readable', look);
    socket.removeListener('end', fail);
    socket.removeListener('error', fail);
  };
  const fail = (): void => {
    stop();
    socket.destroy();
  };
  const look = (): void => {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) return;
    first = first.length === 0 ? chunk : Buffer.concat([first, chunk]);
    const told = Math.min(first.length, tellingBytes);
    const isHttp2 = first.compare(preface, 0, told, 0, told) === 0;
    if (isHttp2 && first.length < tellingBytes) return;
    stop();
    socket.unshift(first);
    verdict(isHttp2);
  };
  socket.on('readable', look);
  socket.on('end', fail);
  socket.on('error', fail);
  socket.on('close', stop);
}
