/** The key-value part finds what is wrong with a Raft, and its judge what is wrong with answers. */
import { describe, expect, test } from 'vitest';
import { type Make, quorateRaft, runTest, ScenarioFailure, suite } from '../src/index.ts';
import { judge, violationLines } from '../src/kv/linearizable.ts';
import type { KvAnswer, KvOperation, KvRequest } from '../src/kv/operations.ts';
import { checkValue } from '../src/suite/key-value/generic.ts';

async function failed(name: string, make: Make): Promise<Error | null> {
  const scenario = suite.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`There is no test ${name}.`);
  const { failure } = await runTest(scenario, make, { seed: 1, isRealTime: false });
  return failure;
}

async function failureOf(name: string, make: Make): Promise<string | null> {
  return (await failed(name, make))?.message ?? null;
}

/** Our Raft with something else in place of some of its methods. */
function changed(change: (server: ReturnType<Make>, apply: Parameters<Make>[3]) => Partial<ReturnType<Make>>): Make {
  const make = quorateRaft();
  return (peers, me, persister, apply, environment) => {
    const server = make(peers, me, persister, apply, environment);
    return Object.assign(server, change(server, apply));
  };
}

/** No Raft: each server believes in itself. */
const alone: Make = (_peers, _me, _persister, apply, environment) => {
  let index = 0;
  return {
    start: (command) => {
      const at = ++index;
      environment.after(0, () => apply({ kind: 'command', index: at, command }));
      return { index: at, term: 1, isLeader: true };
    },
    getState: () => ({ term: 1, isLeader: true }),
    snapshot: () => undefined,
    kill: () => undefined,
  };
};

describe('the key-value part', () => {
  test('finds servers that do not agree by the answers that they give', async () => {
    expect(await failureOf('UnreliableOneKey', alone)).toMatch(/has lost the append/);
    const failure = await failed('PersistPartitionUnreliableLinearizable', alone);
    expect(failure?.message).toMatch(
      /the answers for key "\d+" are not linearizable: \d+ of \d+ operations fit into an order.*no order takes in:\n +client \d+/s,
    );
    // The page shows the same, with everything around it.
    const page = failure instanceof ScenarioFailure ? (failure.page ?? '') : '';
    expect(page).toMatch(/class="stuck.*No order takes in|No order takes in.*class="stuck/s);
    const placed = /: (\d+) of \d+ operations/.exec(failure?.message ?? '')?.[1];
    expect(page.match(/<i class="placed/g)?.length).toBe(Number(placed));
    expect(page).not.toMatch(/https?:/);
  });

  test('finds a minority that does things', async () => {
    expect(await failureOf('OnePartition', alone)).toBe('a put was done by a minority, cut off from the others');
  });

  test('finds servers that forget in a crash', async () => {
    const forgetful: Make = (peers, me, persister, apply, environment) =>
      quorateRaft()(
        peers,
        me,
        { ...persister, save: () => undefined, readState: () => null, readSnapshot: () => null, stateSize: () => 0 },
        apply,
        environment,
      );
    expect(await failureOf('PersistOneClient', forgetful)).toMatch(/has lost the append 'x 0 \d+ y'/);
  });

  test('finds a log that keeps what a snapshot stands for', async () => {
    const hoarder = changed(() => ({ snapshot: () => undefined }));
    expect(await failureOf('SnapshotSize', hoarder)).toMatch(/saved state takes \d+ bytes and must not exceed 8000/);
  });

  test('finds a leader that keeps operations until its next heartbeat', async () => {
    const make = quorateRaft();
    const slow: Make = (peers, me, persister, apply, environment) => {
      const late = peers.map((peer): (typeof peers)[number] => ({
        call: async (method, args) => {
          await new Promise<void>((resolve) => {
            environment.after(50, resolve);
          });
          return peer.call(method, args);
        },
      }));
      return make(late, me, persister, apply, environment);
    };
    expect(await failureOf('Speed', slow)).toMatch(/an operation takes 5\d\.\d ms, at most 33\.3 are allowed/);
  });
});

function operation(
  client: number,
  called: number,
  returned: number | null,
  request: KvRequest,
  answer: KvAnswer | null,
): KvOperation {
  return { client, key: 'k', request, called, returned, answer };
}
const got = (value: string | null): KvAnswer => ({ kind: 'value', value });
const done: KvAnswer = { kind: 'done' };

describe('the judge of histories', () => {
  test('takes what one order explains, and unanswered writes as they come', () => {
    const history = [
      operation(1, 0, 10, { kind: 'put', value: 'a' }, done),
      operation(2, 5, null, { kind: 'append', value: 'b' }, null),
      operation(3, 12, 13, { kind: 'get' }, got('a')),
      operation(3, 20, 21, { kind: 'get' }, got('ab')),
      operation(4, 30, 31, { kind: 'cas', from: 'x', to: 'y' }, { kind: 'mismatch' }),
      operation(4, 32, 33, { kind: 'cas', from: 'ab', to: 'c' }, done),
      operation(5, 40, 41, { kind: 'get' }, got('c')),
    ];
    expect(judge(history)).toEqual({ violation: null, unknown: [] });
  });

  test.each([
    ['a stale read', { kind: 'get' }, got(null)],
    ['a value that nobody wrote', { kind: 'get' }, got('z')],
    ['a cas that must have failed', { kind: 'cas', from: 'b', to: 'c' }, done],
    ['a cas that need not have failed', { kind: 'cas', from: 'a', to: 'c' }, { kind: 'mismatch' }],
    ['a cas that did not see the key', { kind: 'cas', from: 'a', to: 'c' }, { kind: 'absent' }],
  ] as const)('refuses %s, and names it', (_what, request, answer) => {
    const history = [operation(1, 0, 10, { kind: 'put', value: 'a' }, done), operation(2, 11, 12, request, answer)];
    const { violation } = judge(history);
    expect(violation).not.toBeNull();
    if (violation === null) return;
    const lines = violationLines(violation);
    expect(lines[0]).toMatch(/key "k" are not linearizable: 1 of 2 operations/);
    expect(lines.at(-2)).toBe('then the key holds "a", and no order takes in:');
    expect(lines.at(-1)).toMatch(/client 2, 0.0110 to 0.0120 s: (get|cas) k/);
  });
});

describe('what a key must hold in the end', () => {
  const expected = 'x 0 0 yx 0 1 yx 0 2 y';
  test.each([
    ['x 0 0 yx 0 2 y', /has lost the append 'x 0 1 y'/],
    ['x 0 0 yx 0 1 yx 0 1 yx 0 2 y', /has the append 'x 0 1 y' twice/],
    ['x 0 1 yx 0 0 yx 0 2 y', /has the append 'x 0 1 y' before one that was done earlier/],
    [`${expected}x 9 9 y`, /holds more than its one client has put there/],
  ])('%s is refused', (found, message) => {
    expect(() => checkValue('0', found, expected)).toThrow(message);
  });

  test('and the very same is taken', () => {
    expect(() => checkValue('0', expected, expected)).not.toThrow();
  });
});
