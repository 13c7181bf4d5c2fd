/** Servers that call each other without end: their test fails behind a number of calls, and not behind minutes of computing. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { failureLines, type LabTest, type Make, type Outcome, runTest } from '../src/index.ts';
import { CallLimit } from '../src/cluster/call-limit.ts';
import { mistaken } from '../src/teaching/mistake.ts';
import { mistakes } from '../src/teaching/mistakes.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-lab-calls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Handlers.mjs with this mistake: refused AppendEntries are sent again at once, and what refuses them does not change. */
function mistakenRaft(name: string): string {
  const right = readFileSync(fileURLToPath(new URL('../implementations/handlers.mjs', import.meta.url)), 'utf8');
  const mistake = mistakes.find((each) => each.name === name);
  if (mistake === undefined) throw new Error(`there is no mistake ${name}`);
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, mistaken(right, mistake));
  return path;
}

async function outcomesOf(path: string, name: string, seeds: readonly number[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await runJobs(
    seeds.map((seed) => ({ test: name, seed, isRealTime: false, isRace: false })),
    { subject: { path }, processes: 1, output: null, onOutcome: (outcome) => outcomes.push(outcome) },
  );
  return outcomes;
}

describe('a Raft that repeats at once what is refused', () => {
  test('fails in the classic form, with the call that is repeated, and at the same call each time', async () => {
    const [first, again] = await outcomesOf(mistakenRaft('candidate-ignores-leader'), 'Persist2', [3, 3]);
    const message = first?.failure?.message ?? '';
    expect(message).toMatch(
      /^the servers sent \d+ calls in 1\.\d virtual seconds and applied 1 commands; a limit of \d+ ends the test \(500 a second and 10 a command for each server\)/,
    );
    expect(message).toMatch(/Most often: appendEntries of server 1 to server 3, \d+ times/);
    expect(message).toMatch(/asked again at once/);
    expect(again?.failure?.message).toBe(message);
    expect(first?.calls).toBeLessThan(50_000);
    const lines = first === undefined ? [] : failureLines(first, 'quorate lab run');
    expect(lines.slice(0, 2)).toEqual([expect.stringMatching(/^--- FAIL: Persist2 \(1\.\d\ds\)$/), `    ${message}`]);
  });
});

const quiet: LabTest = {
  part: '4A',
  name: 'Quiet',
  title: 'nothing happens',
  servers: 3,
  isUnreliable: false,
  hasSnapshots: false,
  run: (cluster) => cluster.sleep(5_000),
};

/** Every server calls the next one again and again, whatever comes of it; `pause` in milliseconds. */
function callers(calls: number, pause: number): Make {
  return (peers, me, _persister, _apply, environment) => {
    let isKilled = false;
    const tick = (): void => {
      for (let call = 0; call < calls; call++) void peers[(me + 1) % peers.length]?.call('ping', { call });
      if (!isKilled) environment.after(pause, tick);
    };
    environment.after(pause, tick);
    return Object.assign(
      {
        start: () => ({ index: 0, term: 0, isLeader: false }),
        getState: () => ({ term: 0, isLeader: false }),
        snapshot: () => undefined,
        kill: () => {
          isKilled = true;
        },
      },
      { ping: () => true },
    );
  };
}

const options = { seed: 1, isRealTime: false };

describe('the limit', () => {
  test('is far above a call for each server in every five milliseconds', async () => {
    expect((await runTest(quiet, callers(1, 5), options)).failure).toBeNull();
  });

  test('ends what makes ten a millisecond behind half a second', async () => {
    const report = await runTest(quiet, callers(10, 1), options);
    expect(report.failure?.message).toMatch(/^the servers sent 15\d\d\d calls in 0\.5 virtual seconds/);
    expect(report.failure?.message).toMatch(/Most often: ping of server \d to server \d/);
  });

  test('does not count calls to whom nobody can reach: they take long to fail, and who was killed may make some', async () => {
    const cutOff: LabTest = {
      ...quiet,
      run: async (cluster) => {
        for (const server of [0, 1, 2]) cluster.disconnect(server);
        await cluster.sleep(5_000);
      },
    };
    expect((await runTest(cutOff, callers(10, 1), options)).failure).toBeNull();
  });

  test('grows with each command that is applied for the first time', () => {
    const excessOf = (applied: readonly number[]): number => {
      const limit = new CallLimit(3, () => 0);
      for (const index of applied) limit.applied(index);
      let calls = 1;
      while (limit.called(0, '1', 'ping', null) === null) calls += 1;
      return calls;
    };
    const bare = excessOf([]);
    expect(bare).toBe(3 * 500 * 10 + 1);
    expect(excessOf([1, 1, 1, 2, 1, 2])).toBe(bare + 2 * 3 * 10);
  });
});
