import type { Logger } from './environment.ts';

/** So many answers too late without a leader are no chance any more: the first warning; after ten times as many comes the next. */
const firstWarning = 10;

/**
 * Watches for election timeouts that the network cannot meet. When each answer to a request for PreVotes comes after the next has been
 * asked, no server is ever elected, and nothing else in the log would say why (docs/elections.md).
 */
export class LateAnswers {
  readonly #logger: Logger;
  readonly #advice: string;
  #count = 0;
  #warnAt = firstWarning;

  /** `shortest` and `longest` election timeout in microseconds. */
  constructor(logger: Logger, shortest: number, longest: number) {
    this.#logger = logger;
    this.#advice =
      `lengthen the election timeout, which is ${shortest / 1000} to ${longest / 1000} ms: ` +
      'it must exceed the round trip to a majority of the servers, with their disks';
  }

  onLateAnswer(): void {
    this.#count++;
    if (this.#count < this.#warnAt) return;
    this.#logger.log(
      'warn',
      `no leader is elected, and ${this.#count} answers came too late to count: ${this.#advice}`,
    );
    this.#warnAt *= 10;
  }

  onLeader(): void {
    this.#count = 0;
    this.#warnAt = firstWarning;
  }
}
