/** The end of a server, in order, whether it was asked to or had to. */
import type { Server as HttpServer } from 'node:http';
import type { KvService } from '@quorate/kv';
import type { Logger, RaftError, RaftNode } from '@quorate/runtime';
import type { ClientPort } from './client-port.ts';
import type { LineSink } from './log/line-sink.ts';
import type { RpcEngine } from './rpc/engine.ts';

/** What is in flight has this long to be decided; then it is answered as stopped. Milliseconds. */
const finishMs = 800;
/** After that, this long for the answers to leave. Milliseconds. */
const leaveMs = 200;

export interface ServerParts {
  readonly node: RaftNode;
  readonly kv: KvService;
  readonly engine: RpcEngine;
  readonly http: HttpServer;
  readonly port: ClientPort;
  readonly sink: LineSink;
  readonly logger: Logger;
}

export class ServerShutdown {
  readonly #parts: ServerParts;
  readonly #first: (() => void)[] = [];
  readonly stopped: Promise<RaftError | null>;
  #closing: Promise<void> | null = null;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.stopped = this.#waitForEnd();
  }

  /** Something to stop before anything else. */
  first(stop: () => void): void {
    this.#first.push(stop);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#closeAll(finishMs);
    await this.#closing;
  }

  async #waitForEnd(): Promise<RaftError | null> {
    const reason = await this.#parts.node.closed;
    // A node that stopped by itself has nothing left to finish.
    this.#closing ??= this.#closeAll(0);
    await this.#closing;
    return reason;
  }

  async #closeAll(patienceMs: number): Promise<void> {
    const { node, kv, engine, http, port, sink, logger } = this.#parts;
    logger.log('info', 'Stopping', { openCalls: engine.openCalls });
    for (const stop of this.#first) stop();
    port.stopListening();
    const drained = engine.close(patienceMs + leaveMs);
    const timer = setTimeout(() => kv.close(), patienceMs);
    await drained;
    clearTimeout(timer);
    kv.close();
    http.closeIdleConnections();
    await node.close();
    http.closeAllConnections();
    port.destroy();
    logger.log('info', 'Stopped');
    await sink.flush();
  }
}
