import type { Environment, LogLevel } from '../environment.ts';

/** The same line comes again only after this long; and in that time only so many different ones. Microseconds. */
const window = 30_000_000;
const linesPerWindow = 20;

/** Lines that strangers can provoke: bounded, so that rubbish on the port does not fill the log. */
export class Complaints {
  readonly #environment: Environment;
  readonly #said = new Set<string>();
  #windowStart = Number.NEGATIVE_INFINITY;
  #suppressed = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  say(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#turnOver();
    if (this.#said.has(message) || this.#said.size >= linesPerWindow) {
      this.#suppressed++;
      return;
    }
    this.#said.add(message);
    this.#environment.logger.log(level, message, fields);
  }

  #turnOver(): void {
    const now = this.#environment.clock.now();
    if (now - this.#windowStart < window) return;
    if (this.#suppressed > 0) {
      this.#environment.logger.log('warn', `${this.#suppressed} more lines about peer connections were left out`);
    }
    this.#windowStart = now;
    this.#suppressed = 0;
    this.#said.clear();
  }
}
