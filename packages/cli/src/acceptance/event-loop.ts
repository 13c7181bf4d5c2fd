import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '@quorate/client';
import { askPage } from '../processes/http.ts';
import { clientAddress, endpoints } from '../processes/layout.ts';
import { manyKeys } from './bulk-put.ts';
import { type Report, Trial } from './trial.ts';
import { UniqueWrites } from './writes.ts';

const STALL_MS = 1_500;
const MAX_RESPONSE_BYTES = 1 << 30;
const PATIENCE_MS = 60_000;

/** A follower whose event loop stands still for 1.5 s changes no term; a leader's stall loses nothing. */
export async function stall({ report }: { readonly report: Report }): Promise<void> {
  await Trial.run({ servers: 5, report }, async (trial) => {
    const writes = new UniqueWrites();
    const client = await trial.client();
    const stop = new AbortController();
    const worker = writes.keepGoing(client, 'w/0', stop.signal);
    const leader = await trial.leader();
    const before = await termsOf(trial);
    for (const server of trial.cluster.servers.filter((each) => each !== leader)) {
      await askPage('POST', clientAddress(server.member), `/debug/sleep?ms=${STALL_MS}`);
      await sleep(STALL_MS + 500);
    }
    assert.deepEqual(await termsOf(trial), before, 'A term changed because a follower stood still.');
    assert.equal(await trial.leader(), leader);
    report(`each follower stood still for ${STALL_MS} ms: term ${before[0]} all along`);

    await askPage('POST', clientAddress(leader.member), `/debug/sleep?ms=${STALL_MS}`);
    const asleepAt = performance.now();
    const commitAt = await writes.firstAcknowledgedFromNow();
    await sleep(STALL_MS);
    const who = (await trial.leader()) === leader ? 'it still leads' : 'another leads now';
    report(`the leader stood still: a write was acknowledged ${(commitAt - asleepAt).toFixed(0)} ms later; ${who}`);
    stop.abort();
    await worker;
    await writes.verifyEverywhere(trial, 'w/');
  });
}

/** Writing, ranging and deleting very many keys at default timeouts causes no election. */
export async function bulk(options: { readonly keys: number; readonly report: Report }): Promise<void> {
  const { keys, report } = options;
  await Trial.run({ servers: 3, report }, async (trial) => {
    const client = await connect(endpoints(trial.cluster.layout), {
      timeout: PATIENCE_MS,
      maxResponseBytes: MAX_RESPONSE_BYTES,
    });
    try {
      await rangeAndDelete(trial, client, keys, report);
    } finally {
      await client.close();
    }
  });
}

async function rangeAndDelete(trial: Trial, client: Client, keys: number, report: Report): Promise<void> {
  const leader = await trial.leader();
  const before = await termsOf(trial);
  const probe = new Probe(await trial.client(null, PATIENCE_MS));
  await probe.during('writing', report, () => manyKeys(client, keys, 'many/'));
  const counted = await client.get('many/', { prefix: true, countOnly: true });
  assert.equal(counted.count, keys);
  await probe.during('ranging over', report, async () => {
    const all = await client.get('many/', { prefix: true });
    assert.equal(all.entries.length, keys);
  });
  await probe.during('deleting', report, async () => {
    const { deleted } = await client.delete('many/', { prefix: true });
    assert.equal(deleted, keys);
  });
  assert.equal((await client.get('many/', { prefix: true, countOnly: true })).count, 0);
  await trial.agreed();
  assert.deepEqual(await termsOf(trial), before, 'A term changed.');
  assert.equal(await trial.leader(), leader);
  report(`${keys} keys written, ranged over and deleted: term ${before[0]} all along`);
}

/** Small puts beside heavy work, to see how long they wait. */
class Probe {
  readonly #client: Client;
  #n = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  async during(what: string, report: Report, work: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    let slowest = 0;
    const probing = (async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const began = performance.now();
        await this.#client.put(`probe/${this.#n++ % 10}`, 'x');
        slowest = Math.max(slowest, performance.now() - began);
        await sleep(20);
      }
    })();
    const began = performance.now();
    await work();
    const took = performance.now() - began;
    stop.abort();
    await probing;
    report(`${what} took ${(took / 1000).toFixed(1)} s; the slowest of the puts beside it ${slowest.toFixed(0)} ms`);
  }
}

async function termsOf(trial: Trial): Promise<readonly (number | null)[]> {
  return Promise.all(trial.cluster.servers.map(async (server) => (await trial.page(server))?.term ?? null));
}
