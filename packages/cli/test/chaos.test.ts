import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { chaos } from '../src/chaos/chaos.ts';
import { report } from './support/report.ts';

describe('real servers under faults', () => {
  test('partitions, pauses, kills and restarts: all that clients saw can be explained, and nothing is left behind', async () => {
    const result = await chaos({
      seconds: 15,
      servers: 3,
      clients: 8,
      rate: 200,
      seed: 7,
      only: null,
      loopback: true,
      report,
      progress: () => undefined,
      stop: new AbortController().signal,
    });
    expect(result.findings).toEqual([]);
    expect(result.undecided).toEqual([]);
    expect(result.journal.faults.length).toBeGreaterThan(2);
    expect(result.linearizable).toBe(result.groups);
    expect(result.revision).toBeGreaterThan(100);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`quorate-chaos-${process.pid}-`))).toEqual([]);
  }, 120_000);

  test('a run that is ended by hand judges what it has seen', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 4_000);
    const result = await chaos({
      seconds: 600,
      servers: 3,
      clients: 4,
      rate: 100,
      seed: 8,
      only: ['kill'],
      loopback: true,
      report,
      progress: () => undefined,
      stop: stop.signal,
    });
    expect(result.interrupted).toBe(true);
    expect(result.findings).toEqual([]);
    expect(result.operations).toBeGreaterThan(0);
  }, 120_000);
});
