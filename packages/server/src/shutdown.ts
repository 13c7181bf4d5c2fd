/** The end of a server, in order, whether it was asked to or had to. */
import type { Server as HttpServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { KvService } from '@quorate/kv';
import type { Logger, RaftError, RaftNode } from '@quorate/runtime';
import type { ClientPort } from './client-port.ts';
import type { LineSink } from './log/line-sink.ts';
import type { RpcEngine } from './rpc/engine.ts';

/** What is in flight has this long to be decided; then it is answered as stopped. Milliseconds. */
const finishMs = 800;
/** After that, this long for the answers to leave. Milliseconds. */
const leaveMs = 200;
/** Before both, a leader has this long to hand its leadership over; the others elect by themselves if it takes longer. Milliseconds. */
const handOverMs = 500;

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
    this.#closing ??= this.#closeAll(finishMs, handOver);
    await this.#closing;
  }

  /** The cluster goes on without this server: what it has not decided by then, it never hears of. */
  async leave(): Promise<void> {
    this.#closing ??= this.#closeAll(0, resignation);
    await this.#closing;
  }

  async #waitForEnd(): Promise<RaftError | null> {
    const reason = await this.#parts.node.closed;
    // A node that stopped by itself has nothing left to finish.
    this.#closing ??= this.#closeAll(0, null);
    await this.#closing;
    return reason;
  }

  async #closeAll(patienceMs: number, farewell: Farewell | null): Promise<void> {
    const { node, kv, engine, http, port, sink, logger } = this.#parts;
    logger.log('info', 'Stopping', { openCalls: engine.openCalls });
    for (const stop of this.#first) stop();
    if (farewell !== null && hasHeirs(node)) await inTime(farewell(node), logger, node);
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

/** It leads, and somebody else could. */
function hasHeirs(node: RaftNode): boolean {
  return node.isLeader && node.configuration.voters.some((id) => id !== node.id);
}

/** How a leader leaves its office. Resolves with null, or why it failed. */
type Farewell = (node: RaftNode) => Promise<string | null>;

async function inTime(farewell: Promise<string | null>, logger: Logger, node: RaftNode): Promise<void> {
  const patience = new AbortController();
  const outOfTime = wait(handOverMs, 'it takes too long', { signal: patience.signal, ref: false }).catch(() => '');
  const problem = await Promise.race([farewell, outOfTime]);
  patience.abort();
  if (problem === null) logger.log('info', 'The leadership is handed over', { leader: node.leader });
  else logger.log('warn', `The leadership is not handed over: ${problem}. The others elect a leader by themselves.`);
}

/** A cluster whose leader says goodbye is without one for a moment only, instead of an election timeout (dissertation §3.10). */
async function handOver(node: RaftNode): Promise<string | null> {
  if (!node.configuration.voters.includes(node.id)) return await resignation(node);
  try {
    await node.transferLeadership();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A leader that was removed calls an heir by itself, as soon as what it has taken is committed. */
async function resignation(node: RaftNode): Promise<null> {
  return await new Promise((resolve) => {
    const stop = node.on('role', ({ role }) => {
      if (role === 'leader') return;
      stop();
      resolve(null);
    });
  });
}
