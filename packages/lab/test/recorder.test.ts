import { fileURLToPath } from 'node:url';
import type { SeenEvent } from '@quorate/sim';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../src/index.ts';
import { describePlain } from '../src/record/describe.ts';
import { LabRecorder } from '../src/record/recorder.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

const implementations = fileURLToPath(new URL('../implementations/', import.meta.url));

async function run(name: string, module: string | null, ...isRecorded: readonly boolean[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await runJobs(
    isRecorded.map((each) => ({ test: name, seed: 3, isRealTime: false, isRace: false, isRecorded: each })),
    {
      subject: { path: module === null ? null : `${implementations}${module}` },
      processes: 1,
      output: null,
      onOutcome: (outcome) => outcomes.push(outcome),
    },
  );
  return outcomes;
}

async function eventsOf(name: string, module: string | null): Promise<SeenEvent[]> {
  const [outcome] = await run(name, module, true);
  return (outcome?.recording?.events ?? []).map(({ event }) => event);
}

describe('writing down a run', () => {
  test.each([
    ['Backup', null],
    ['Backup', 'raft.mjs'],
    ['Backup', 'handlers.mjs'],
    ['Figure8Unreliable', 'raft.mjs'],
    ['SnapshotInstall', 'handlers.mjs'],
  ])('changes nothing of it: %s of %s', async (name, module) => {
    const [bare, recorded] = (await run(name, module, false, true)) as [Outcome, Outcome];
    const figures = ({ elapsed, calls, bytes, agreed, failure }: Outcome): unknown => ({
      elapsed,
      calls,
      bytes,
      agreed,
      failure,
    });
    expect(bare.calls).toBeGreaterThan(0);
    expect(figures(recorded)).toEqual(figures(bare));
    expect(recorded.recording?.events.length).toBeGreaterThan(500);
    expect(bare.recording).toBeNull();
  });

  test('sees calls by their own names, with terms, in either style, and timers by theirs', async () => {
    const events = await eventsOf('InitialElection', 'handlers.mjs');
    const votes = events.find((event) => event.kind === 'call' && /vote/i.test(event.method));
    expect(votes).toMatchObject({ kind: 'call' });
    expect(votes?.kind === 'call' && votes.term).toBeGreaterThan(0);
    expect(events.some((event) => event.kind === 'timer' && event.name === 'election')).toBe(true);
    expect(events.some((event) => event.kind === 'state' && event.isLeader)).toBe(true);
    expect(events.some(({ kind }) => kind === 'save')).toBe(true);
  });

  test('sees what clients of a service ask and are told', async () => {
    const kinds = new Set((await eventsOf('UnreliableOneKey', null)).map(({ kind }) => kind));
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
