/** This end of the line to a host's agent. */
import { eachLine } from '../agent/lines.ts';
import {
  type AgentMessage,
  type AgentMethods,
  type AgentReady,
  type AgentRequest,
  MAX_LINE_BYTES,
  PING_EVERY_MS,
} from '../agent/methods.ts';
import { EvaluationError } from '../errors.ts';
import type { SshSession } from './ssh.ts';

/** An agent that does not answer a call in this time is lost: none takes longer than a page of a server. */
const CALL_TIMEOUT_MS = 30_000;

type Ended = Extract<AgentMessage, { readonly ended: number }>;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class AgentClient {
  /** What it said first. Rejects when the session ends before. */
  readonly ready: Promise<AgentReady['ready']>;
  /** Aborted, with an `EvaluationError` as its reason, when the agent cannot be asked any more. */
  readonly lost: AbortSignal;
  readonly #losing = new AbortController();
  readonly #host: string;
  readonly #session: SshSession;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watchers = new Map<number, (ended: Ended) => void>();
  readonly #pings: NodeJS.Timeout;
  #calls = 0;
  #over: Error | null = null;

  constructor(host: string, session: SshSession) {
    this.#host = host;
    this.#session = session;
    this.lost = this.#losing.signal;
    this.ready = new Promise((resolve, reject) => {
      this.lost.addEventListener('abort', () => reject(this.lost.reason as Error), { once: true });
      eachLine(session.output, MAX_LINE_BYTES, (line) => this.#heard(line, resolve));
    });
    // Whoever waits for it hears of it; when nobody does, `lost` tells all the same.
    this.ready.catch(() => undefined);
    session.output.on('error', (error) => this.lose(error.message));
    void session.ended.then(() => this.lose(session.complaint));
    this.#pings = setInterval(() => void this.call('ping').catch(() => undefined), PING_EVERY_MS);
  }

  /** Rejects with what the agent says went wrong, or with `HostLost`. */
  call<Name extends keyof AgentMethods>(
    method: Name,
    ...args: Parameters<AgentMethods[Name]>
  ): ReturnType<AgentMethods[Name]> {
    const number = (this.#calls += 1);
    const answered = new Promise<unknown>((resolve, reject) => {
      if (this.#over !== null) return reject(this.#over);
      const timer = setTimeout(() => this.lose(`no answer within ${CALL_TIMEOUT_MS / 1000} s`), CALL_TIMEOUT_MS);
      this.#waiting.set(number, { resolve, reject, timer });
      const request: AgentRequest = { call: number, method, args };
      this.#session.input.write(`${JSON.stringify(request)}\n`);
    });
    return answered as ReturnType<AgentMethods[Name]>;
  }

  /** Calls back once when the process of that number has ended. */
  onEnded(process: number, callback: (ended: Ended) => void): void {
    this.#watchers.set(process, callback);
  }

  /** Whether there is no use in asking any more: it was lost, or we have closed it. */
  get isOver(): boolean {
    return this.#over !== null;
  }

  /** Nothing more is asked. The agent ends everything it started, and itself. */
  close(): void {
    this.#end(new Error(`The connection to ${this.#host} has been closed.`));
    this.#session.input.end();
  }

  /** The connection is gone, unless we have closed it; `why` may be empty. */
  lose(why: string): void {
    if (this.#over !== null) return;
    const message =
      `The host ${this.#host} was lost in the middle of the run${why === '' ? '' : `: ${why}`}. ` +
      'What ran there ends by itself. When it is back, the same command goes on from the last cell that had ended.';
    const error = new EvaluationError('HostLost', message);
    this.#end(error);
    this.#losing.abort(error);
    this.#session.kill();
  }

  /** Whoever waits hears that it is in vain. Processes count as ended. */
  #end(reason: Error): void {
    if (this.#over !== null) return;
    this.#over = reason;
    clearInterval(this.#pings);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.#waiting.clear();
    const exit = { code: null, signal: null };
    for (const [ended, watcher] of this.#watchers) watcher({ ended, exit, logTail: `(${reason.message})` });
    this.#watchers.clear();
  }

  #heard(line: string, onReady: (ready: AgentReady['ready']) => void): void {
    // A shell that greets whoever comes in does so before.
    if (!line.startsWith('{')) return;
    const message = JSON.parse(line) as AgentMessage;
    if ('ready' in message) return onReady(message.ready);
    if ('ended' in message) {
      this.#watchers.get(message.ended)?.(message);
      this.#watchers.delete(message.ended);
      return;
    }
    const waiting = this.#waiting.get(message.reply);
    this.#waiting.delete(message.reply);
    clearTimeout(waiting?.timer);
    if ('error' in message) waiting?.reject(new Error(`${this.#host}: ${message.error}`));
    else waiting?.resolve(message.result);
  }
}
