import { type Client, ClientError } from '@quorate/client';
import { type Found, Ledger } from './ledger.ts';
import { PauseWatch } from './pause.ts';

/** Keys that the load writes over and over. One write a key at a time, so this also bounds what is in flight. */
const KEYS = 1_000;
const KEY_PREFIX = 'dev/';
/** Deadline of each write: an outage shows as unknown outcomes after this long. Milliseconds. */
const WRITE_TIMEOUT_MS = 2_000;
const READ_TIMEOUT_MS = 2_000;
const TICK_MS = 10;
/** Keys read back in one go by the verifier. */
const VERIFY_BATCH = 50;
const VERIFY_EVERY_MS = 500;
/** Older revisions are compacted away, so that a cluster left running over night does not fill memory. */
const KEEP_REVISIONS = 10_000;
const COMPACT_EVERY_MS = 10_000;
/** How long the last check at the end may take. */
const FINAL_CHECK_TIMEOUT_MS = 5_000;

/** Writes at a steady rate, remembers every acknowledgement, and keeps reading back whether it was kept. */
export class SteadyLoad {
  readonly ledger = new Ledger();
  readonly pauses = new PauseWatch();
  readonly #client: Client;
  readonly #ratePerSecond: number;
  readonly #busy = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  #nextKey = 0;
  #due = 0;
  #lastTick = performance.now();
  #newestRevision = 0;
  #stopped = false;
  #verifying: Promise<void> | null = null;

  constructor(client: Client, ratePerSecond: number) {
    this.#client = client;
    this.#ratePerSecond = ratePerSecond;
  }

  /** Takes over what an earlier run left in the store, then begins. Retries until the cluster answers. */
  async start(): Promise<void> {
    await this.#adoptEarlierRun();
    if (this.#stopped) return;
    this.#lastTick = performance.now();
    this.#timers.push(
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#verifySome(), VERIFY_EVERY_MS),
      setInterval(() => void this.#compact(), COMPACT_EVERY_MS),
    );
  }

  /** Stops writing and reads every key back once more. Returns a sentence if that could not be done, otherwise null. */
  async stop(): Promise<string | null> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#verifying;
    const expected = this.ledger.keys.map((key) => this.ledger.expect(key));
    if (expected.length === 0) return null;
    try {
      const { entries } = await this.#client.get(KEY_PREFIX, { prefix: true, timeout: FINAL_CHECK_TIMEOUT_MS });
      const found = new Map(entries.map((entry) => [entry.keyText(), toFound(entry)]));
      for (const each of expected) this.ledger.verify(each, found.get(each.key) ?? null);
      return null;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return `The last check could not be made, because no majority answered: ${error.message}`;
    }
  }

  async #adoptEarlierRun(): Promise<void> {
    while (!this.#stopped) {
      try {
        const { entries } = await this.#client.get(KEY_PREFIX, { prefix: true, timeout: READ_TIMEOUT_MS });
        for (const entry of entries) this.ledger.adopt(entry.keyText(), toFound(entry));
        return;
      } catch (error) {
        if (!(error instanceof ClientError) || error.code === 'Closed') throw error;
      }
    }
  }

  #tick(): void {
    const now = performance.now();
    // After a stall of this very process the backlog is forgiven: the rate is steady, not made up for.
    this.#due += (Math.min(now - this.#lastTick, 10 * TICK_MS) / 1000) * this.#ratePerSecond;
    this.#lastTick = now;
    for (; this.#due >= 1; this.#due--) this.#writeNext();
  }

  #writeNext(): void {
    for (let tried = 0; tried < KEYS; tried++) {
      const key = `${KEY_PREFIX}${String(this.#nextKey).padStart(4, '0')}`;
      this.#nextKey = (this.#nextKey + 1) % KEYS;
      if (this.#busy.has(key)) continue;
      void this.#write(key);
      return;
    }
  }

  async #write(key: string): Promise<void> {
    this.#busy.add(key);
    const sequence = this.ledger.begin(key);
    try {
      const { revision } = await this.#client.put(key, String(sequence), { timeout: WRITE_TIMEOUT_MS });
      this.ledger.settleAcknowledged(key, sequence, revision);
      this.pauses.acknowledged(performance.now());
      this.#newestRevision = Math.max(this.#newestRevision, revision);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (error.code === 'OutcomeUnknown') this.ledger.settleUnknown(key, sequence);
      else this.ledger.settleRefused();
    } finally {
      this.#busy.delete(key);
    }
  }

  #verifySome(): void {
    if (this.#verifying !== null) return;
    this.#verifying = this.#verify().finally(() => {
      this.#verifying = null;
    });
  }

  async #verify(): Promise<void> {
    const keys = this.ledger.keys;
    for (let n = 0; n < Math.min(VERIFY_BATCH, keys.length); n++) {
      const key = keys[Math.floor(Math.random() * keys.length)];
      if (key === undefined || this.#stopped) return;
      const expected = this.ledger.expect(key);
      try {
        const { entry } = await this.#client.get(key, { timeout: READ_TIMEOUT_MS });
        this.ledger.verify(expected, entry === undefined ? null : toFound(entry));
      } catch (error) {
        // A read that got no answer proves nothing either way; the next round comes soon.
        if (!(error instanceof ClientError)) throw error;
        return;
      }
    }
  }

  async #compact(): Promise<void> {
    const revision = this.#newestRevision - KEEP_REVISIONS;
    if (revision <= 0) return;
    try {
      await this.#client.compact(revision, { timeout: READ_TIMEOUT_MS });
    } catch (error) {
      // Compaction is housekeeping: the next one covers what this one did not.
      if (!(error instanceof ClientError)) throw error;
    }
  }
}

function toFound(entry: { readonly modRevision: number; text(): string }): Found {
  return { sequence: Number(entry.text()), revision: entry.modRevision };
}
