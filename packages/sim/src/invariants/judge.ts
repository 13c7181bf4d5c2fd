import { Violation } from '../watch.ts';

/**
 * What becomes of an invariant that is found broken: it is thrown, and the run ends. A judge may be told to speak of one invariant
 * alone: a mutant breaks several, and each check has to show that it would have noticed by itself. Whatever calls `broken` goes on
 * behind it as well as it can, for the run does then.
 */
export class Judge {
  readonly #only: string | null;

  constructor(only: string | null) {
    this.#only = only;
  }

  /** @throws Violation unless another one alone is asked about. What the world itself does wrong (M) spoils every judgement. */
  broken(invariant: string, first: string, second: string): void {
    if (this.#only === null || this.#only === invariant || invariant === 'M') {
      throw new Violation(invariant, first, second);
    }
  }
}
