import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Row } from '../src/experiment.ts';
import { planFor, ready } from '../src/experiments/load-cells.ts';
import { Timeline } from '../src/experiments/timeline.ts';
import { Witness } from '../src/experiments/witness.ts';
import type { Harness } from '../src/harness/harness.ts';
import { harnessHere } from './support/here.ts';

/** One real server, with its data on disk and a load from a process of its own. */
describe('A timeline of a real server', () => {
  let directory = '';
  let harness: Harness;
  const rows: Row[] = [];

  beforeEach(() => {
    rows.length = 0;
    directory = mkdtempSync(join(tmpdir(), 'quorate-timeline-'));
    harness = harnessHere(directory, 'timeline', (row) => rows.push(row));
  });
  afterEach(async () => {
    await harness.close();
    rmSync(directory, { recursive: true });
  });

  const ofKind = (kind: string): readonly Row[] => rows.filter((row) => row['kind'] === kind);

  it('shows what happens when it happens, however long the load takes to start, and the pause that follows', async () => {
    const cluster = await harness.start({ servers: 1 });
    await ready(harness, cluster);
    const witness = new Witness(cluster);
    await witness.start();
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('There is no server.');
    const pace = { kind: 'closed', clients: 4 } as const;
    const plan = planFor(harness, cluster, { pace, seconds: 0, intervalMs: 100, timeoutMs: 1_000 });
    await Timeline.run(harness, { ...plan, warmUpSeconds: 0 }, async (timeline) => {
      await timeline.wait(0.5);
      timeline.mark('it stands still');
      await cluster.freeze(server);
      await timeline.wait(0.6);
      await cluster.thaw(server);
      timeline.mark('it goes on');
      await timeline.wait(0.5);
    });
    await witness.stop();

    const [stands, goesOn] = ofKind('event');
    // Two processes have two clocks, and a timer may be a millisecond early.
    expect(stands?.['at']).toBeGreaterThan(0.45);
    expect(Number(goesOn?.['at']) - Number(stands?.['at'])).toBeGreaterThan(0.59);
    expect(stands?.['pauseMs']).toBeGreaterThan(0);
    expect(ofKind('interval').some((row) => Number(row['writes']) > 0)).toBe(true);

    expect(witness.acknowledged).toBeGreaterThan(0);
    expect(await witness.present(1)).toEqual({ keys: witness.acknowledged, present: witness.acknowledged });
    // There are no two servers that could have them.
    expect(await witness.present(2)).toEqual({ keys: witness.acknowledged, present: 0 });
  }, 60_000);

  it('ends with its script, whose failure it tells', async () => {
    const cluster = await harness.start({ servers: 1 });
    await ready(harness, cluster);
    const pace = { kind: 'closed', clients: 1 } as const;
    const plan = planFor(harness, cluster, { pace, seconds: 0, intervalMs: 100 });
    const failing = Timeline.run(harness, { ...plan, warmUpSeconds: 0 }, () =>
      Promise.reject(new Error('A broken script.')),
    );
    await expect(failing).rejects.toThrow('A broken script.');
    expect(rows).toEqual([]);
  }, 60_000);
});
