/** Implementations of others run in processes of their own: the good pass, and what is wrong with the rest is said. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type Outcome, UnfitModuleError } from '../src/index.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-lab-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = fileURLToPath(new URL('../implementations/raft.mjs', import.meta.url));

async function outcomesOf(path: string, tests: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await runJobs(
    tests.map((name) => ({ test: name, seed: 1, isRealTime: false, isRace: false })),
    { subject: { path }, processes: 1, output: null, onOutcome: (outcome) => outcomes.push(outcome) },
  );
  return outcomes;
}

function moduleOf(name: string, text: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, text);
  return path;
}

describe('a module of somebody else', () => {
  test('in the async style passes, its timers and its clock being virtual', async () => {
    const began = performance.now();
    const outcomes = await outcomesOf(good, ['InitialElection', 'Backup', 'Figure8Unreliable', 'SnapshotInstall']);
    expect(outcomes.map(({ test: name, failure }) => [name, failure?.message ?? null])).toEqual([
      ['InitialElection', null],
      ['Backup', null],
      ['Figure8Unreliable', null],
      ['SnapshotInstall', null],
    ]);
    expect(outcomes.reduce((sum, { elapsed }) => sum + elapsed, 0)).toBeGreaterThan(60_000);
    expect(performance.now() - began).toBeLessThan(60_000);
  });

  test('that loops without end is shown with its stack', async () => {
    const path = moduleOf(
      'loops',
      `export const make = () => ({
        start: () => { spinForEver(); },
        getState: () => ({ term: 1, isLeader: false }),
        snapshot() {}, kill() {},
      });
      function spinForEver() { for (;;) Math.sqrt(2); }`,
    );
    const [outcome] = await outcomesOf(path, ['BasicAgree']);
    expect(outcome?.failure?.message).toMatch(/a loop without end/);
    expect(outcome?.failure?.stack).toMatch(/spinForEver/);
  });

  test('that throws later, when nobody awaits it, fails its test with its own stack', async () => {
    const path = moduleOf(
      'throws',
      `export const make = () => {
        setTimeout(async () => { await null; throw new Error('out of order'); }, 100);
        return { start: () => ({ index: 0, term: 0, isLeader: false }), getState: () => ({ term: 0, isLeader: false }), snapshot() {}, kill() {} };
      };`,
    );
    const [outcome] = await outcomesOf(path, ['InitialElection']);
    expect(outcome?.failure?.message).toBe('out of order');
    expect(outcome?.failure?.stack).toMatch(/throws\.mjs/);
  });

  test('that is no Raft is refused, and it says what is missing', async () => {
    await expect(outcomesOf(moduleOf('empty', 'export const raft = 1;'), ['BasicAgree'])).rejects.toThrow(
      /exports neither a function 'make' nor an object 'handlers'. It exports: raft/,
    );
    await expect(outcomesOf(moduleOf('broken', 'export const = 1;'), ['BasicAgree'])).rejects.toThrow(
      /cannot be loaded/,
    );
    await expect(outcomesOf(join(folder, 'none.mjs'), ['BasicAgree'])).rejects.toThrow(/There is nothing at/);
    await expect(
      outcomesOf(moduleOf('half', 'export const handlers = { init() {} };'), ['BasicAgree']),
    ).rejects.toThrow(/handlers.start must be a function/);
    await expect(
      outcomesOf(moduleOf('odd', 'export const make = () => ({}); export const service = 1;'), ['BasicAgree']),
    ).rejects.toThrow(/exports 'service', which must be a function/);
    expect(UnfitModuleError.name).toBe('UnfitModuleError');
  });
});
