import type { SeenEvent } from '@quorate/sim';
import { describe, expect, test } from 'vitest';
import { quorateRaft } from '../src/ours/quorate-raft.ts';
import { describePlain } from '../src/record/describe.ts';
import { LabRecorder } from '../src/record/recorder.ts';
import { runTest, type TestReport } from '../src/run-test.ts';
import { loadModule } from '../src/sandbox/load-module.ts';
import { suite } from '../src/suite/index.ts';

const implementations = new URL('../implementations/', import.meta.url).pathname;

async function run(name: string, module: string | null, isRecorded: boolean): Promise<TestReport> {
  const found = suite.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  const make = module === null ? quorateRaft() : (await loadModule(`${implementations}${module}`)).make;
  return runTest(found, make, { seed: 3, isRealTime: false, isForeign: module !== null, isRecorded });
}

describe('writing down a run', () => {
  test.each([
    ['Backup', null],
    ['Backup', 'raft.mjs'],
    ['Backup', 'handlers.mjs'],
    ['Figure8Unreliable', 'raft.mjs'],
    ['SnapshotInstall', 'handlers.mjs'],
  ])('changes nothing of it: %s of %s', async (name, module) => {
    const [bare, recorded] = [await run(name, module, false), await run(name, module, true)];
    const figures = ({ elapsed, calls, bytes, agreed, failure }: TestReport): unknown => ({
      elapsed,
      calls,
      bytes,
      agreed,
      failure,
    });
    expect(figures(recorded)).toEqual(figures(bare));
    expect(recorded.journal.recorder?.events.length).toBeGreaterThan(500);
    expect(bare.journal.recorder).toBeNull();
  });

  test('sees calls by their own names, with terms, in either style, and timers by theirs', async () => {
    const { journal } = await run('InitialElection', 'handlers.mjs', true);
    const events = (journal.recorder?.events ?? []).map(({ event }) => event);
    const votes = events.find((event) => event.kind === 'call' && /vote/i.test(event.method));
    expect(votes).toMatchObject({ kind: 'call' });
    expect(votes?.kind === 'call' && votes.term).toBeGreaterThan(0);
    expect(events.some((event) => event.kind === 'timer' && event.name === 'election')).toBe(true);
    expect(events.some((event) => event.kind === 'state' && event.isLeader)).toBe(true);
    expect(events.some(({ kind }) => kind === 'save')).toBe(true);
  });

  test('sees what clients of a service ask and are told', async () => {
    const { journal } = await run('UnreliableOneKey', null, true);
    const kinds = new Set((journal.recorder?.events ?? []).map(({ event }) => event.kind));
    expect(kinds).toContain('ask');
    expect(kinds).toContain('told');
  });

  test('keeps the newest events, and says how many came before', () => {
    const recorder = new LabRecorder(() => 0);
    const event: SeenEvent = { kind: 'step', text: 'again' };
    for (let n = 0; n < 70_000; n++) recorder.note(null, event);
    expect(recorder.events).toHaveLength(30_000);
    expect(recorder.left).toBe(40_000);
  });
});

describe('plain data in words', () => {
  test.each([
    [{ term: 3, entries: [{ term: 1 }] }, '{term: 3, entries: [{term: 1}]}'],
    [new Uint8Array(5), '<5 bytes>'],
    ['a\nb', '"a\\nb"'],
    [null, 'null'],
  ])('%j', (value, text) => {
    expect(describePlain(value)).toBe(text);
  });

  test('is cut where the line is full, whatever its size', () => {
    const text = describePlain(Array.from({ length: 100_000 }, (_, at) => ({ at })));
    expect(text).toHaveLength(160);
    expect(text.endsWith('…')).toBe(true);
  });
});
