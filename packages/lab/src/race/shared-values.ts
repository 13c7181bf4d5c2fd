/**
 * Half of the race detector: what is sent, answered or saved belongs to two from then on. A change to it later would be seen, or not,
 * depending on who is faster; so it is frozen, and what cannot be frozen is compared when it has arrived.
 */

/** Code under test changes what it has handed over. */
export class RaceFailure extends Error {
  override readonly name = 'RaceFailure';
}

/** Bytes that are watched at the same time, unless a single value has more. A store without snapshots saves half a megabyte at each step. */
const KEPT_BYTES = 1_000_000;
/** Bytes that are compared at the end of a step: those of the newest values, which are most likely to be written to. */
const CHECKED_BYTES = 20_000;

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
  #watchedBytes = 0;

  /** `what` says what it is: 'the arguments of appendEntries'. */
  handOver(value: unknown, what: string): void {
    const bytes: Uint8Array[] = [];
    freeze(value, bytes);
    if (bytes.length === 0) return;
    const where = callSite();
    for (const each of bytes) {
      this.#watched.push({ bytes: each, copy: each.slice(), where, what });
      this.#watchedBytes += each.length;
    }
  }

  /** Compares all bytes that are watched, oldest first. @throws RaceFailure */
  check(): void {
    for (const each of this.#watched) compare(each);
  }

  /**
   * The end of a step. Values older than the `kept` newest are compared for the last time, for whoever handed them over has other things
   * to write to by now; of the others those that can be compared at little cost. @throws RaceFailure
   */
  checkAndForget(kept: number): void {
    while (this.#watched.length > kept || (this.#watched.length > 1 && this.#watchedBytes > KEPT_BYTES)) this.#forget();
    let left = CHECKED_BYTES;
    for (let at = this.#watched.length - 1; at >= 0; at--) {
      const each = this.#watched[at];
      if (each === undefined || each.bytes.length > left) return;
      left -= each.bytes.length;
      compare(each);
    }
  }

  #forget(): void {
    const oldest = this.#watched.shift();
    if (oldest === undefined) return;
    this.#watchedBytes -= oldest.bytes.length;
    compare(oldest);
  }
}

function compare({ bytes, copy, where, what }: Watched): void {
  if (Buffer.compare(bytes, copy) === 0) return;
  throw new RaceFailure(`Bytes in ${what} were changed after they had been handed over${where}. Hand over a copy.`);
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
