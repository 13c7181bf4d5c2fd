/** Stores that answer otherwise than one server would, lose, mix up or refuse are found, and counted. */
import { describe, expect, test } from 'vitest';
import { type Make, quorateRaft, type RunOptions, runTest, suite, type TestReport } from '../src/index.ts';

async function run(name: string, options: Partial<RunOptions> = {}, make: Make = quorateRaft()): Promise<TestReport> {
  const scenario = suite.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`There is no test ${name}.`);
  return runTest(scenario, make, { seed: 1, isRealTime: false, ...options });
}

interface Asked {
  readonly key: string;
  readonly value: string;
}
type Handle = (method: string, asked: Asked) => unknown;

/** A service that answers at once, without any log. */
function serviceOf(handle: Handle): NonNullable<RunOptions['service']> {
  return () => ({
    apply: () => undefined,
    kill: () => undefined,
    handle: (method, args, answer) => {
      if (!method.startsWith('KV.')) return false;
      answer(handle(method, args as unknown as Asked) as Parameters<typeof answer>[0]);
      return true;
    },
  });
}

function ok(value: string | null): unknown {
  return { kind: 'ok', value };
}

/** One memory for all servers: right as long as nothing is changed. */
function memory(): Handle {
  const data = new Map<string, string>();
  return (method, { key, value }) => {
    if (method === 'KV.get') return ok(data.get(key) ?? null);
    data.set(key, method === 'KV.append' ? (data.get(key) ?? '') + value : value);
    return ok(null);
  };
}

describe('the scenarios on stores', { timeout: 120_000 }, () => {
  test('what is done twice because its answer was lost gives another answer than a single server', async () => {
    const { failure } = await run('SameAnswers', { service: serviceOf(memory()) });
    expect(failure?.message).toMatch(
      /^operation \d+, get k\d, answers '(\d+ )+'; a single server answers '(\d+ )+' behind the same operations$/,
    );
  });

  test('operations that fail, keys that are missing and values that are wrong are counted', async () => {
    const right = memory();
    const wrong: Handle = (method, asked) => {
      if (asked.key === '0/7') return { kind: 'timeout' };
      if (method === 'KV.get' && asked.key === '1/3') return ok('another');
      if (method === 'KV.get' && asked.key === '2/5') return ok(null);
      return right(method, asked);
    };
    const { failure } = await run('DisjointRanges', { service: serviceOf(wrong) });
    // Each key is put and got twenty times.
    expect(failure?.message).toMatch(
      /^50000 puts in [\d.]+ s, 50000 gets in [\d.]+ s: 40 failed, 20 missing, 20 wrong$/,
    );
  });

  test('the figures of a run in which nothing is amiss are said', async () => {
    const { failure, remarks, agreed } = await run('DisjointRanges', { service: serviceOf(memory()) });
    expect(failure).toBeNull();
    expect(agreed).toBe(100_000);
    expect(remarks).toEqual([expect.stringMatching(/: 0 failed, 0 missing, 0 wrong$/)]);
  });

  test('a service that never answers does not keep a test for ever', async () => {
    const service: RunOptions['service'] = () => ({
      apply: () => undefined,
      kill: () => undefined,
      handle: (method) => method.startsWith('KV.'),
    });
    const { failure } = await run('SameAnswers', { service });
    expect(failure?.message).toMatch(/The test has not ended after 240 seconds/);
  });

  test('who never has a leader is not asked a hundred thousand times', async () => {
    const leaderless: Make = (...its) =>
      Object.assign(quorateRaft()(...its), { start: () => ({ index: 0, term: 0, isLeader: false }) });
    const { failure, elapsed } = await run('DisjointRanges', {}, leaderless);
    expect(failure?.message).toMatch(/: 5[0-4] failed, 0 missing, 0 wrong; the rest was not tried$/);
    expect(elapsed).toBeLessThan(120_000);
  });
});
