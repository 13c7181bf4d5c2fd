import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { ClientError, connect } from '@quorate/client';
import { endpoints, LOOPBACK } from '@quorate/processes';
import { residentMiB } from './memory.ts';
import { Rubbish } from './rubbish.ts';
import { type Report, Trial } from './trial.ts';
import { UniqueWrites } from './writes.ts';

/** Connections with rubbish at the same time, to each port of each server. */
const AT_ONCE = 4;
/** A connection that the server neither closes nor answers is given up by us after this long. */
const CONNECTION_MS = 1_000;
/** How much more a server may hold afterwards: buffers and code that was never needed before. */
const MAX_GROWTH_MIB = 120;

/** Requests that are too large are refused with a typed error, and the service goes on. */
export async function oversized({ report }: { readonly report: Report }): Promise<void> {
  await Trial.run({ servers: 3, report }, async (trial) => {
    const client = await connect(endpoints(trial.cluster.layout), { maxRequestBytes: 64 << 20 });
    try {
      for (const mebibytes of [1.6, 2.5, 20]) {
        const error = await client
          .put('large', new Uint8Array(mebibytes * 1024 * 1024))
          .catch((reason: unknown) => reason);
        assert.ok(error instanceof ClientError, `A put of ${mebibytes} MiB was taken.`);
        assert.notEqual(error.code, 'DeadlineExceeded');
        report(`a put of ${mebibytes} MiB: ${error.code}: ${error.message}`);
      }
      await client.put('small', 'x');
      assert.equal((await client.get('large')).entry, undefined, 'A refused put took effect.');
    } finally {
      await client.close();
    }
  });
}

/** A fuzzer on client and peer ports: no server stops, no write fails, no term changes, memory stays. */
export async function rubbish(options: {
  readonly seconds: number;
  readonly seed: number;
  readonly report: Report;
}): Promise<void> {
  const { seconds, seed, report } = options;
  report(`seed ${seed}`);
  await Trial.run({ servers: 3, report }, async (trial) => {
    const writes = new UniqueWrites();
    const client = await trial.client();
    for (let n = 0; n < 500; n++) assert.equal(await writes.write(client, `w/before/${n}`), null);
    const leader = await trial.leader();
    const terms = await termsOf(trial);
    const memory = trial.cluster.servers.map(residentMiB);

    const until = performance.now() + seconds * 1000;
    const tally = { connections: 0, bytes: 0 };
    const source = new Rubbish(seed);
    const attackers = trial.cluster.servers.flatMap(({ member }) =>
      Array.from({ length: AT_ONCE }, () => [
        attack(member.clientPort, () => source.forClients(), until, tally),
        attack(member.peerPort, () => source.forPeers(), until, tally),
      ]).flat(),
    );
    const stop = new AbortController();
    const worker = writes.keepGoing(client, 'w/during', stop.signal);
    await Promise.all(attackers);
    stop.abort();
    await worker;

    assert.equal(
      writes.unknown.size + writes.refused.size + writes.failedReads,
      0,
      'Calls of a well-behaved client failed.',
    );
    assert.equal(await trial.leader(), leader, 'The leader changed.');
    assert.deepEqual(await termsOf(trial), terms, 'A term changed.');
    for (const [at, server] of trial.cluster.servers.entries()) {
      const [before, after] = [memory[at] ?? null, residentMiB(server)];
      if (before === null || after === null) continue;
      report(`${server.member.name}: ${before.toFixed(0)} MiB before, ${after.toFixed(0)} MiB after`);
      assert.ok(after - before <= MAX_GROWTH_MIB, `${server.member.name} grew by ${(after - before).toFixed(0)} MiB.`);
    }
    report(`${tally.connections} connections with ${(tally.bytes / 2 ** 20).toFixed(1)} MiB of rubbish`);
    await writes.verifyEverywhere(trial, 'w/');
  });
}

async function attack(
  port: number,
  next: () => Uint8Array,
  until: number,
  tally: { connections: number; bytes: number },
): Promise<void> {
  while (performance.now() < until) {
    const bytes = next();
    await sendAndWait(port, bytes);
    tally.connections++;
    tally.bytes += bytes.length;
  }
}

/** Sends, then waits for the server to close, or for a while. Only a refused connection is a failure. */
function sendAndWait(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: LOOPBACK, port });
    socket.setTimeout(CONNECTION_MS, () => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
    });
    socket.on('close', () => resolve());
    socket.on('data', () => undefined);
    socket.write(bytes);
  });
}

function termsOf(trial: Trial): Promise<unknown[]> {
  return Promise.all(trial.cluster.servers.map(async (server) => (await trial.page(server))?.term));
}
