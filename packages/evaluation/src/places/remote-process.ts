import type { ProcessExit, ProcessSpec } from '@quorate/processes';
import type { AgentClient } from './agent-client.ts';
import type { ServerProcess } from './place.ts';

/** Whoever asks numbers the processes: a number for each run of one. */
let numbers = 0;

/** A server that an agent looks after. One whose host is lost counts as ended. */
export class RemoteProcess implements ServerProcess {
  readonly pid = null;
  readonly #agent: AgentClient;
  readonly #spec: ProcessSpec;
  #number = 0;
  #running = false;
  #lastExit: ProcessExit | null = null;
  #logTail = '';
  #exited: Promise<void> = Promise.resolve();

  constructor(agent: AgentClient, spec: ProcessSpec) {
    this.#agent = agent;
    this.#spec = spec;
  }

  get running(): boolean {
    return this.#running;
  }

  get lastExit(): ProcessExit | null {
    return this.#running ? null : this.#lastExit;
  }

  start(): void {
    if (this.#running) throw new Error(`${this.#spec.name} is running already.`);
    this.#running = true;
    const number = (this.#number = numbers += 1);
    this.#exited = new Promise((resolve) => {
      const ended = (exit: ProcessExit, logTail: string): void => {
        if (this.#number !== number || !this.#running) return;
        this.#running = false;
        this.#lastExit = exit;
        this.#logTail = logTail;
        resolve();
      };
      this.#agent.onEnded(number, ({ exit, logTail }) => ended(exit, logTail));
      this.#agent
        .call('start', number, this.#spec)
        .catch((error: unknown) => ended({ code: 127, signal: null }, String(error)));
    });
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#agent.call('signal', this.#number, signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.#running) return;
    // Refused where it has just ended, or where its host is lost: either way its end is what tells.
    await this.#agent.call('signal', this.#number, signal).catch(() => undefined);
    await this.#exited;
  }

  logTail(lines: number): string {
    return this.#logTail.split('\n').slice(-lines).join('\n');
  }
}
