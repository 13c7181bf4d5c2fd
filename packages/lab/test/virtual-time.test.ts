/** In virtual time whoever can go on does so before anything else happens, and only where somebody may. */
import { randomStream } from '@quorate/sim';
import { expect, test } from 'vitest';
import { type Make, quorateRaft, runTest, suite } from '../src/index.ts';
import { LabNetwork } from '../src/network/network.ts';
import { VirtualScheduler } from '../src/time/virtual-scheduler.ts';

test('who waits for a promise goes on before the next event, behind one that is quiet too if that says so', async () => {
  const scheduler = new VirtualScheduler();
  const seen: string[] = [];
  await scheduler.run(async () => {
    const isTold = new Promise<void>((resolve) => {
      scheduler.quietly(1, () => {
        scheduler.wakes();
        resolve();
      });
    });
    scheduler.quietly(1, () => seen.push('next event'));
    await isTold;
    seen.push('goes on');
    await scheduler.sleep(1);
  });
  expect(seen).toEqual(['goes on', 'next event']);
});

test('timers that are set anew over and over never run out, and the last one does', async () => {
  const scheduler = new VirtualScheduler();
  const ran: number[] = [];
  await scheduler.run(async () => {
    let cancel = (): void => undefined;
    for (let round = 0; round < 2_000; round++) {
      cancel();
      cancel = scheduler.after(1_000, () => ran.push(round));
      if (round % 100 === 0) await scheduler.sleep(1);
    }
    await scheduler.sleep(2_000);
  });
  expect(ran).toEqual([1_999]);
});

test('what is sent is copied unless both sides promise never to change it', async () => {
  const sharing = { isQuiet: false, isSharing: true };
  for (const [caller, server, isSame] of [
    [sharing, sharing, true],
    [sharing, undefined, false],
    [undefined, sharing, false],
  ] as const) {
    const scheduler = new VirtualScheduler();
    const network = new LabNetwork(scheduler, randomStream(1, 'network'), { hop: 0.1 });
    const sent = { log: [1, 2, 3] };
    let arrived: unknown = null;
    const dispatch = (_method: string, args: unknown, answer: (reply: unknown) => void): void => {
      arrived = args;
      answer(true);
    };
    network.addServer('one', dispatch, server);
    const end = network.makeEnd('client', 'one');
    end.isOn = true;
    await scheduler.run(() => new Promise((resolve) => network.call(end, 'say', sent, resolve, caller)));
    expect(arrived).toEqual(sent);
    expect(arrived === sent).toBe(isSame);
    expect(network.counts.bytes).toBe(JSON.stringify(sent).length + 'true'.length);
  }
});

/** Our Raft, of which nothing is promised. */
const unknown: Make = (...given) => Object.assign(quorateRaft()(...given), { isSynchronous: false, isSharing: false });

test.each([
  'Concurrent',
  'PersistPartitionUnreliable',
  'SnapshotUnreliableRecover',
  'FailureLimit',
  'Figure8Unreliable',
])('promises change what %s costs, and nothing of what happens in it', async (name) => {
  const scenario = suite.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`There is no test ${name}.`);
  const options = { seed: 3, isRealTime: false, isRecorded: true };
  const [plain, promised] = [
    await runTest(scenario, unknown, options),
    await runTest(scenario, quorateRaft(), options),
  ];
  expect(promised.failure).toBeNull();
  expect(promised.calls).toBe(plain.calls);
  expect(promised.bytes).toBe(plain.bytes);
  expect(promised.elapsed).toBe(plain.elapsed);
  // Compared as text: tens of thousands of events, of which a difference would show too many.
  const told = ({ journal: { recorder } }: typeof plain): string => JSON.stringify(recorder?.events);
  expect(told(promised) === told(plain)).toBe(true);
});
