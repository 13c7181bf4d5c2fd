import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientError } from '@quorate/client';
import { type Report, Trial } from './trial.ts';

const SMALL_MIB = 220;
const LARGE_MIB = 400;
const VALUE_BYTES = 1 << 20;
/** More than fits on the small disk. */
const PUTS = 300;

/**
 * A server whose disk fills within a second refuses puts before they are appended, keeps its term and its reads, and takes puts again
 * without a restart once there is room. Mounts a small file system in memory, and therefore needs root.
 */
export async function fullDisk({ report }: { readonly report: Report }): Promise<void> {
  const mount = mkdtempSync(join(tmpdir(), 'quorate-small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_MIB}m`, 'quorate', mount], { stdio: 'inherit' });
  try {
    await Trial.run({ servers: 1, report, parent: mount }, (trial) => fillAndFree(trial, mount, report));
  } finally {
    execFileSync('umount', [mount], { stdio: 'inherit' });
    rmSync(mount, { recursive: true });
  }
}

async function fillAndFree(trial: Trial, mount: string, report: Report): Promise<void> {
  const client = await trial.client();
  const [server] = trial.running;
  assert.ok(server !== undefined);
  const { term } = (await trial.page(server)) ?? { term: -1 };
  const value = 'x'.repeat(VALUE_BYTES);
  let stored = 0;
  let refusal: ClientError | null = null;
  const began = performance.now();
  for (; stored < PUTS && refusal === null; stored += refusal === null ? 1 : 0) {
    refusal = await client.put(`full/${stored}`, value).then(
      () => null,
      (error: unknown) => {
        if (error instanceof ClientError) return error;
        throw error;
      },
    );
  }
  assert.ok(refusal !== null, `All ${PUTS} puts were taken by a disk of ${SMALL_MIB} MiB.`);
  assert.notEqual(refusal.code, 'OutcomeUnknown', `The refusal leaves the outcome open: ${refusal.message}`);
  const took = (performance.now() - began).toFixed(0);
  report(`${stored} puts of 1 MiB in ${took} ms, then refused for certain: ${refusal.message}`);

  assert.equal((await client.get('full/', { prefix: true, countOnly: true })).count, stored, 'A read differs.');
  assert.equal((await trial.page(server))?.term, term, 'The term changed.');
  execFileSync('mount', ['-o', `remount,size=${LARGE_MIB}m`, mount], { stdio: 'inherit' });
  await trial.until('puts to be taken again', () =>
    client.put('after', 'x').then(
      () => true,
      () => null,
    ),
  );
  assert.ok(server.process.running && server.process.lastExit === null);
  report('with more room it took puts again, without a restart');

  await server.process.kill();
  server.process.start();
  await trial.leader();
  const after = await trial.client();
  assert.equal((await after.get('full/', { prefix: true, countOnly: true })).count, stored);
  report(`after kill -9 and a restart all ${stored} were there`);
}
