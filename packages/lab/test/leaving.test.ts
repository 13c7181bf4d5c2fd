/** The scenario in which the leader leaves notices leaders that do not, and servers that count although they have left. */
import { expect, test } from 'vitest';
import { type Make, quorateRaft, runTest, suite, type TestReport } from '../src/index.ts';

async function run(make: Make): Promise<TestReport> {
  const scenario = suite.find(({ name }) => name === 'LeaderLeaves');
  if (scenario === undefined) throw new Error('There is no test LeaderLeaves.');
  return runTest(scenario, make, { seed: 1, isRealTime: false });
}

test('an implementation without changes of membership has not passed, and has not failed', async () => {
  const plain: Make = (...its) => Object.assign(quorateRaft()(...its), { change: undefined });
  const { failure, notOffered } = await run(plain);
  expect(failure).toBeNull();
  expect(notOffered).toMatch(/no change\(members\)/);
});

test('a leader that was to leave and stays is noticed', async () => {
  const stays: Make = (...its) => Object.assign(quorateRaft()(...its), { change: () => true });
  expect((await run(stays)).failure?.message).toMatch(/server \d leads 5 seconds after it was to leave/);
});

test('a leader that refuses every change is noticed', async () => {
  const refuses: Make = (...its) => Object.assign(quorateRaft()(...its), { change: () => false });
  expect((await run(refuses)).failure?.message).toMatch(/change\(members\) was refused by each leader/);
});

test('a server that only pretended to leave is found when it makes a majority', async () => {
  // It says nothing for a second and a half, so that another leads; then it is a member like any other.
  const pretends: Make = (peers, me, persister, apply, environment) => {
    let silentUntil = 0;
    const muffled = peers.map((peer): (typeof peers)[number] => ({
      call: (method, args) => (environment.now() < silentUntil ? Promise.resolve(null) : peer.call(method, args)),
    }));
    const change = (): boolean => {
      silentUntil = environment.now() + 1_500;
      return true;
    };
    return Object.assign(quorateRaft()(muffled, me, persister, apply, environment), { change });
  };
  expect((await run(pretends)).failure?.message).toMatch(/committed with two of four members up: server \d has left/);
});
