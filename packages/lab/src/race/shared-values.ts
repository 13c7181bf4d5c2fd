/**
 * Half of the race detector: what is sent, answered or saved belongs to two from then on. A change to it later would be seen, or not,
 * depending on who is faster; so it is frozen, and what cannot be frozen is compared when it has arrived.
 */

/** Code under test changes what it has handed over. */
export class RaceFailure extends Error {
  override readonly name = 'RaceFailure';
}

/** Bytes that were handed over: they cannot be frozen. */
interface Watched {
  readonly bytes: Uint8Array;
  readonly copy: Uint8Array;
  /** Where in the code under test that was. */
  readonly where: string;
  readonly what: string;
}

export class SharedValues {
  readonly #watched: Watched[] = [];

  /** `what` says what it is: 'the arguments of appendEntries'. */
  handOver(value: unknown, what: string): void {
    const bytes: Uint8Array[] = [];
    freeze(value, bytes);
    for (const each of bytes) this.#watched.push({ bytes: each, copy: each.slice(), where: callSite(), what });
  }

  /** Compares the bytes that were handed over, oldest first. @throws RaceFailure */
  check(): void {
    for (const { bytes, copy, where, what } of this.#watched) {
      if (Buffer.compare(bytes, copy) === 0) continue;
      throw new RaceFailure(`Bytes in ${what} were changed after they had been handed over${where}. Hand over a copy.`);
    }
  }

  /** At the end of a step nobody changes them any more: only the newest may still be written to by who handed them over. */
  checkAndForget(kept: number): void {
    this.check();
    if (this.#watched.length > kept) this.#watched.splice(0, this.#watched.length - kept);
  }
}

function freeze(value: unknown, bytes: Uint8Array[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof Uint8Array) {
    bytes.push(value);
    return;
  }
  if (Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const item of Object.values(value)) freeze(item, bytes);
}

/** The first line of the stack that is not the suite's own. */
function callSite(): string {
  const line = new Error().stack
    ?.split('\n')
    .find((each) => /:\d+:\d+\)?$/.test(each) && !each.includes('/lab/dist/') && !each.includes('/lab/src/'));
  return line === undefined ? '' : `, ${line.trim()}`;
}

/** What an engine says when frozen things are changed; null for any other error. */
export function asRace(error: unknown): RaceFailure | null {
  if (!(error instanceof TypeError) || !FROZEN.test(error.message)) return null;
  const race = new RaceFailure(
    `What was sent, answered or saved is changed afterwards (${error.message}). Whoever has it may see the change, or not: hand over a copy.`,
  );
  race.stack = `${race.name}: ${race.message}\n${(error.stack ?? '').split('\n').slice(1).join('\n')}`;
  return race;
}

const FROZEN =
  /read only property|not extensible|Cannot delete property|Cannot redefine property|Cannot define property/;
