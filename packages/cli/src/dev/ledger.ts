/**
 * The memory of what was promised. Every write of the steady load overwrites one of a fixed set of keys with the next
 * sequence number, one write a key at a time, so that a single read tells whether a promise was kept.
 */

/** What a key must show at least, as it stood when the read began. */
export interface Expectation {
  readonly key: string;
  /** The newest acknowledged write: its sequence number and the revision that the store gave it. 0 before the first. */
  readonly sequence: number;
  readonly revision: number;
}

/** What a read found. */
export interface Found {
  readonly sequence: number;
  readonly revision: number;
}

interface KeyState {
  sequence: number;
  revision: number;
  issued: number;
  /** Sent, with an outcome that nobody told us: it may still show up. */
  readonly unknown: Set<number>;
}

export class Ledger {
  readonly #keys = new Map<string, KeyState>();
  /** Broken promises, each counted once, with the sentence that describes it. */
  readonly #broken = new Map<string, string>();
  acknowledged = 0;
  refused = 0;
  unknown = 0;
  checked = 0;

  get lost(): number {
    return this.#broken.size;
  }

  get keys(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** What was broken, for the report at the end. */
  get brokenPromises(): readonly string[] {
    return [...this.#broken.values()];
  }

  /** Takes over what an earlier run left, as if acknowledged. */
  adopt(key: string, found: Found): void {
    this.#keys.set(key, {
      sequence: found.sequence,
      revision: found.revision,
      issued: found.sequence,
      unknown: new Set(),
    });
  }

  /** The next sequence number for `key`. The write must be settled by one of the three calls below before the next. */
  begin(key: string): number {
    const state = this.#keys.get(key) ?? { sequence: 0, revision: 0, issued: 0, unknown: new Set() };
    this.#keys.set(key, state);
    state.issued++;
    return state.issued;
  }

  settleAcknowledged(key: string, sequence: number, revision: number): void {
    const state = this.#stateOf(key);
    this.acknowledged++;
    if (revision <= state.revision) {
      this.#break(
        key,
        revision,
        `${key}: write ${sequence} was acknowledged at revision ${revision}, not above ${state.revision}.`,
      );
    }
    state.sequence = sequence;
    state.revision = revision;
  }

  /** Definitely did not happen. */
  settleRefused(): void {
    this.refused++;
  }

  settleUnknown(key: string, sequence: number): void {
    this.unknown++;
    this.#stateOf(key).unknown.add(sequence);
  }

  /** To be taken before a linearizable read begins. */
  expect(key: string): Expectation {
    const state = this.#stateOf(key);
    return { key, sequence: state.sequence, revision: state.revision };
  }

  /** Holds what was read against what was promised before the read began. */
  verify(expected: Expectation, found: Found | null): void {
    this.checked++;
    if (expected.revision === 0 && found === null) return;
    const reason = this.#fault(expected, found);
    if (reason !== null) this.#break(expected.key, expected.revision, `${expected.key}: ${reason}`);
  }

  #fault(expected: Expectation, found: Found | null): string | null {
    const promise = `write ${expected.sequence} at revision ${expected.revision}`;
    if (found === null) return `${promise} was acknowledged; the key is gone.`;
    const saw = `write ${found.sequence} at revision ${found.revision} is there`;
    if (found.revision < expected.revision) return `${promise} was acknowledged; only ${saw}.`;
    if (found.revision === expected.revision) {
      return found.sequence === expected.sequence ? null : `${promise} was acknowledged; ${saw}.`;
    }
    const state = this.#stateOf(expected.key);
    const later = found.sequence > expected.sequence && found.sequence <= state.issued;
    return later || state.unknown.has(found.sequence) ? null : `${saw}, which was never sent or was settled before.`;
  }

  #break(key: string, revision: number, sentence: string): void {
    this.#broken.set(`${key}@${revision}`, sentence);
  }

  #stateOf(key: string): KeyState {
    const state = this.#keys.get(key);
    if (state === undefined) throw new Error(`The ledger knows no key ${key}.`);
    return state;
  }
}
