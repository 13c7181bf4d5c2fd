import { type Client, ClientError } from '@quorate/client';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalServer } from '@quorate/processes';
import type { Trial } from './trial.ts';

/** Pages in which a whole store is read. */
const PAGE_KEYS = 5_000;
/** After a failed call, so that a cluster that is down is not asked a million times. */
const REST_AFTER_FAILURE_MS = 20;
/** One call in so many reads back instead of writing. */
const READ_EVERY = 4;

/** What a store holds of a key. */
export interface Stored {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

/** Every write goes to a key of its own, so that what became of each can be told at the end. */
export class UniqueWrites {
  /** key → the revision at which it was acknowledged. */
  readonly acknowledged = new Map<string, number>();
  readonly refused = new Set<string>();
  readonly unknown = new Set<string>();
  reads = 0;
  failedReads = 0;
  /** The newest revision that anybody was told of. */
  newestRevision = 0;
  /** `performance.now()` of each acknowledgement, for the measuring of gaps. */
  lastAcknowledgedAt = 0;
  readonly #onAcknowledged = new Set<(at: number, sentAt: number) => void>();

  /** Resolves at the first acknowledgement of a write that was *sent* after now. */
  firstAcknowledgedFromNow(): Promise<number> {
    const from = performance.now();
    return new Promise((resolve) => {
      const listener = (at: number, sentAt: number): void => {
        if (sentAt < from) return;
        this.#onAcknowledged.delete(listener);
        resolve(at);
      };
      this.#onAcknowledged.add(listener);
    });
  }

  /** Measures the longest time between two acknowledgements; what it returns ends that and says it, in milliseconds. */
  measurePause(): () => number {
    let last = performance.now();
    let longest = 0;
    const listener = (at: number): void => {
      longest = Math.max(longest, at - last);
      last = at;
    };
    this.#onAcknowledged.add(listener);
    return () => {
      this.#onAcknowledged.delete(listener);
      return Math.max(longest, performance.now() - last);
    };
  }

  /** Writes one key and keeps account of the outcome. Throws only what is not a typed error of the client. */
  async write(client: Client, key: string, timeout?: number): Promise<ClientError | null> {
    const sentAt = performance.now();
    try {
      const { revision } = await client.put(key, `value of ${key}`, timeout === undefined ? {} : { timeout });
      this.acknowledged.set(key, revision);
      this.newestRevision = Math.max(this.newestRevision, revision);
      this.lastAcknowledgedAt = performance.now();
      for (const listener of this.#onAcknowledged) listener(this.lastAcknowledgedAt, sentAt);
      return null;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      (error.code === 'OutcomeUnknown' ? this.unknown : this.refused).add(key);
      return error;
    }
  }

  /** Reads an acknowledged key: it must be there, and the store must not be older than anything known before the read. */
  async readBack(client: Client, key: string): Promise<ClientError | null> {
    const atLeast = this.newestRevision;
    const acknowledgedAt = this.acknowledged.get(key);
    try {
      const { entry, revision } = await client.get(key);
      assert.equal(
        entry?.modRevision,
        acknowledgedAt,
        `${key} was acknowledged at revision ${acknowledgedAt}; a read finds ${entry?.modRevision}.`,
      );
      assert.ok(
        revision >= atLeast,
        `A linearizable read answered from revision ${revision}, after ${atLeast} had been acknowledged.`,
      );
      this.reads++;
      return null;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.failedReads++;
      return error;
    }
  }

  /** One client's life: writes and reads back until told to stop. */
  async keepGoing(client: Client, name: string, stop: AbortSignal): Promise<void> {
    let last: string | null = null;
    for (let n = 0; !stop.aborted; n++) {
      if (n % READ_EVERY === READ_EVERY - 1 && last !== null) {
        if ((await this.readBack(client, last)) !== null) await sleep(REST_AFTER_FAILURE_MS);
        continue;
      }
      const key = `${name}/${String(n).padStart(7, '0')}`;
      if ((await this.write(client, key)) === null) last = key;
      else await sleep(REST_AFTER_FAILURE_MS);
    }
  }

  /** Every running server holds every acknowledged write at its revision, exactly once, no refused one, and all hold the same. */
  async verifyEverywhere(trial: Trial, prefix: string): Promise<void> {
    await trial.agreed();
    let first: ReadonlyMap<string, Stored> | null = null;
    for (const server of trial.running) {
      const stored = await storeOf(trial, server, prefix);
      this.#verify(stored, server.member.name);
      if (first === null) first = stored;
      else assert.deepEqual(stored, first, `${server.member.name} holds something else than the first server.`);
    }
    trial.report(
      `${this.acknowledged.size} acknowledged writes found on each of ${trial.running.length} servers at their revisions, none twice; ` +
        `${this.unknown.size} outcomes unknown, ${this.refused.size} refused; ${this.reads} linearizable reads checked.`,
    );
  }

  #verify(stored: ReadonlyMap<string, Stored>, server: string): void {
    for (const [key, revision] of this.acknowledged) {
      const found = stored.get(key);
      assert.equal(
        found?.modRevision,
        revision,
        `${server}: ${key} was acknowledged at revision ${revision}; it is at ${found?.modRevision}.`,
      );
    }
    for (const [key, { version, createRevision, modRevision, value }] of stored) {
      assert.ok(
        this.acknowledged.has(key) || this.unknown.has(key),
        `${server}: ${key} is there, though it was ${this.refused.has(key) ? 'refused' : 'never written'}.`,
      );
      assert.equal(version, 1, `${server}: ${key} was written ${version} times.`);
      assert.equal(createRevision, modRevision, `${server}: ${key} was created and changed at different revisions.`);
      assert.equal(value, `value of ${key}`, `${server}: ${key} holds another value than was written.`);
    }
  }
}

/** All keys with a prefix as one server holds them itself, at one revision. */
async function storeOf(trial: Trial, server: LocalServer, prefix: string): Promise<ReadonlyMap<string, Stored>> {
  const client = await trial.client(server);
  const stored = new Map<string, Stored>();
  let from = prefix;
  let revision = 0;
  for (;;) {
    const page = await client.get(from, { rangeEnd: `${prefix}\xff`, limit: PAGE_KEYS, revision, serializable: true });
    revision = revision === 0 ? page.revision : revision;
    for (const entry of page.entries) {
      const { createRevision, modRevision, version } = entry;
      stored.set(entry.keyText(), { value: entry.text(), createRevision, modRevision, version });
    }
    const last = page.entries.at(-1);
    if (!page.more || last === undefined) return stored;
    from = `${last.keyText()}\0`;
  }
}
