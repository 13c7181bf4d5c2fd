import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '@quorate/client';
import { Generator } from '../bench/generator-client.ts';
import { quantile } from '@quorate/evaluation/load';
import { askPage, clientAddress, endpoints, type LocalServer, LOOPBACK } from '@quorate/processes';
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
    const terms = [...new Set(await termsOf(trial))].join(', ');
    const who = (await trial.leader()) === leader ? 'it still leads' : 'another leads now';
    report(
      `the leader stood still: a write was acknowledged ${(commitAt - asleepAt).toFixed(0)} ms later; ${who}, in term ${terms}`,
    );
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

/** While every thread of libuv's pool on every server is blocked, puts are acknowledged all the same. */
export async function blockedPool({ report }: { readonly report: Report }): Promise<void> {
  const blockedMs = 8_000;
  await Trial.run({ servers: 3, report }, async (trial) => {
    const client = await trial.client();
    await client.put('pool', 'before');
    await hogPools(trial.cluster.servers, 'waiting', blockedMs);
    const began = performance.now();
    for (let n = 0; n < 100; n++) await client.put('pool', `during ${n}`);
    const took = performance.now() - began;
    assert.ok(took < blockedMs, 'Puts were acknowledged only after the threads were free again.');
    report(`100 puts acknowledged in ${took.toFixed(0)} ms while every thread of every server's pool was blocked`);
  });
}

/** The p99 of puts before, and while the pool of every server is saturated in one way and the other. */
export async function poolLatency(options: { readonly seconds: number; readonly report: Report }): Promise<void> {
  const { seconds, report } = options;
  await Trial.run({ servers: 3, report }, async (trial) => {
    const generator = new Generator();
    try {
      const measure = async (): Promise<number> => {
        const { member } = await trial.leader();
        const plan = { host: LOOPBACK, port: member.clientPort, work: 'put', clients: 16, connections: 1 } as const;
        const result = await generator.run({ ...plan, seconds, warmUpSeconds: 1, valueBytes: 256, keys: 1_000 });
        assert.deepEqual(result.failures, {});
        return quantile(result.latencies, 0.99) / 1000;
      };
      const idle = await measure();
      report(`p99 of puts with an idle pool: ${idle.toFixed(1)} ms`);
      const all = trial.cluster.servers;
      const leader = [await trial.leader()];
      for (const [how, servers, where] of [
        ['waiting', all, 'every server'],
        ['hashing', leader, 'the leader'],
        ['hashing', all, 'every server'],
      ] as const) {
        const busyMs = (seconds + 3) * 1000;
        await hogPools(servers, how, busyMs);
        const busy = await measure();
        const times = (busy / idle).toFixed(2);
        report(`p99 of puts with every pool thread of ${where} ${how}: ${busy.toFixed(1)} ms, ${times} times`);
        await sleep(busyMs - seconds * 1000);
      }
    } finally {
      generator.close();
    }
  });
}

async function hogPools(servers: readonly LocalServer[], how: 'waiting' | 'hashing', ms: number): Promise<void> {
  for (const { member } of servers) {
    await askPage('POST', clientAddress(member), `/debug/pool?by=${how}&ms=${ms}`);
  }
}
