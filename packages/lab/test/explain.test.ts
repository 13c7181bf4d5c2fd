/** A test that takes more than anybody published says why. */
import { expect, test } from 'vitest';
import { explanationLines, type Make, quorateRaft, runTest, suite } from '../src/index.ts';

async function explained(name: string, make: Make): Promise<string> {
  const scenario = suite.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`There is no test ${name}.`);
  const { callsByMethod, ...report } = await runTest(scenario, make, { seed: 1, isRealTime: false });
  return explanationLines({ ...report, test: name, callsByMethod: [...callsByMethod] }).join('\n');
}

test('nothing is said of what is within its reference, or has none', async () => {
  expect(await explained('ReElection', quorateRaft())).toBe('');
  expect(await explained('SlowMajority', quorateRaft({ heartbeatInterval: 5_000 }))).toBe('');
});

test('election timeouts of seconds are long sleeps', async () => {
  const sleepy = quorateRaft({ electionTimeoutMin: 2_500_000, electionTimeoutMax: 3_000_000 });
  expect(await explained('ReElection', sleepy)).toMatch(
    /slower than all published runs \(at most 7\.6 s\): long sleeps: for \d+\.\d s no server/,
  );
});

test('servers that ask one after the other wait for calls that time out', async () => {
  const serial: Make = (peers, me, persister, apply, environment) => {
    let last: Promise<unknown> = Promise.resolve();
    const queued = peers.map((peer): (typeof peers)[number] => ({
      call: (method, args) => {
        const answer = last.then(() => peer.call(method, args));
        last = answer;
        return answer;
      },
    }));
    return quorateRaft()(queued, me, persister, apply, environment);
  };
  expect(await explained('RejoinLeader', serial)).toMatch(
    /slower than all published runs \(at most 8\.1 s\): RPC timeouts: for \d+\.\d s nothing happened .*; \d+ had no answer/,
  );
});

test('entries that wait for a heartbeat are many short sleeps', async () => {
  const lazy: Make = (peers, me, persister, apply, environment) => {
    const late = peers.map((peer): (typeof peers)[number] => ({
      call: async (method, args) => {
        if (method === 'appendEntries') {
          await new Promise<void>((resolve) => {
            environment.after(350, resolve);
          });
        }
        return peer.call(method, args);
      },
    }));
    return quorateRaft()(late, me, persister, apply, environment);
  };
  expect(await explained('RPCBytes', lazy)).toMatch(
    /slower than all published runs \(at most 3\.3 s\): many short sleeps/,
  );
});

test('a heartbeat every ten milliseconds is too many RPCs', async () => {
  expect(await explained('InitialElection', quorateRaft({ heartbeatInterval: 10_000 }))).toMatch(
    /too many RPCs: at most 114 in all published runs; here \d+, \d+ heartbeat/,
  );
});

test('a server that looks all the time is in a busy loop', async () => {
  const busy: Make = (peers, me, persister, apply, environment) => {
    const look = (): void => {
      for (const until = performance.now() + 4; performance.now() < until; );
      environment.after(5, look);
    };
    if (me === 0) environment.after(0, look);
    return quorateRaft()(peers, me, persister, apply, environment);
  };
  expect(await explained('InitialElection', busy)).toMatch(/a busy loop: \d+\.\d s of computing in a test of 3\.\d s/);
});
