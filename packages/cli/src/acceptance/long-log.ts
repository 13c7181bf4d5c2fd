import assert from 'node:assert/strict';
import { bulkPut } from './bulk-put.ts';
import { residentMiB } from './memory.ts';
import { type Report, Trial } from './trial.ts';

/** How much more a server may hold at the end than after a fifth of the work. */
const MAX_GROWTH_MIB = 100;
const VALUE_BYTES = 1024;

/** Entries of 1 KiB go through the log of three servers; their memory does not follow. */
export async function longLog(options: { readonly entries: number; readonly report: Report }): Promise<void> {
  const { entries, report } = options;
  await Trial.run({ servers: 3, report }, async (trial) => {
    const client = await trial.client();
    const samples: { readonly written: number; readonly mib: readonly number[] }[] = [];
    await bulkPut(client, {
      entries,
      valueBytes: VALUE_BYTES,
      keys: 1_000,
      prefix: 'log/',
      compactEvery: Math.max(1_000, Math.floor(entries / 50)),
      onProgress: (written) => {
        const mib = trial.cluster.servers.map((server) => residentMiB(server) ?? Number.NaN);
        samples.push({ written, mib });
        report(`${written} entries: ${mib.map((each) => each.toFixed(0)).join(', ')} MiB`);
      },
    });
    const early = samples.find(({ written }) => written >= entries / 5);
    const late = samples.at(-1);
    assert.ok(early !== undefined && late !== undefined);
    for (const [at, { member }] of trial.cluster.servers.entries()) {
      const growth = (late.mib[at] ?? 0) - (early.mib[at] ?? 0);
      assert.ok(growth <= MAX_GROWTH_MIB, `${member.name} grew by ${growth.toFixed(0)} MiB.`);
    }
  });
}
