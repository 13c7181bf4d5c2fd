/** The network is the one that the classic suite describes: its own tests, written anew. */
import { randomStream } from '@quorate/sim';
import { describe, expect, test } from 'vitest';
import type { PlainData } from '../src/index.ts';
import { type End, LabNetwork } from '../src/network/network.ts';
import { VirtualScheduler } from '../src/time/virtual-scheduler.ts';

const HOP = 0.1;

interface Scene {
  readonly scheduler: VirtualScheduler;
  readonly network: LabNetwork;
  readonly call: (end: End, args: unknown) => Promise<PlainData>;
}

/** A server 'echo' that answers with what it is told, behind `work` milliseconds. */
function scene(work = 0): Scene {
  const scheduler = new VirtualScheduler();
  const network = new LabNetwork(scheduler, randomStream(1, 'network'), { hop: HOP });
  network.addServer('echo', (_method, args, answer) => {
    if (work === 0) answer(args);
    else scheduler.after(work, () => answer(args));
  });
  const call = (end: End, args: unknown): Promise<PlainData> =>
    new Promise((resolve) => network.call(end, 'say', args, resolve));
  return { scheduler, network, call };
}

function openEnd({ network }: Scene): End {
  const end = network.makeEnd('client', 'echo');
  end.isOn = true;
  return end;
}

describe('a call', () => {
  test('on an end that is off has no answer, and has one as soon as it is on', async () => {
    const it = scene();
    await it.scheduler.run(async () => {
      const end = it.network.makeEnd('client', 'echo');
      expect(await it.call(end, 111)).toBeNull();
      expect(it.scheduler.now).toBeLessThan(100);
      end.isOn = true;
      expect(await it.call(end, 111)).toBe(111);
    });
  });

  test('waits up to seven seconds for nobody, where delays are long', async () => {
    const it = scene();
    it.network.hasLongDelays = true;
    await it.scheduler.run(async () => {
      const end = it.network.makeEnd('client', 'echo');
      const waits: number[] = [];
      for (let count = 0; count < 50; count++) {
        const began = it.scheduler.now;
        expect(await it.call(end, 1)).toBeNull();
        waits.push(it.scheduler.now - began);
      }
      expect(Math.max(...waits)).toBeGreaterThan(5_000);
      expect(Math.max(...waits)).toBeLessThan(7_000);
    });
  });

  test('on an end that was off until now is not held up by those before it', async () => {
    const it = scene();
    it.network.hasLongDelays = true;
    await it.scheduler.run(async () => {
      const end = it.network.makeEnd('client', 'echo');
      for (let count = 0; count < 20; count++) void it.call(end, count);
      await it.scheduler.sleep(100);
      end.isOn = true;
      const began = it.scheduler.now;
      expect(await it.call(end, 'now')).toBe('now');
      expect(it.scheduler.now - began).toBeLessThan(30);
    });
  });

  test('is counted, with the bytes of what is asked and of what is answered', async () => {
    const it = scene();
    await it.scheduler.run(async () => {
      const end = openEnd(it);
      for (let count = 0; count < 17; count++) await it.call(end, 'x'.repeat(284));
      expect(it.network.counts.calls).toBe(17);
      expect(it.network.counts.incoming('echo')).toBe(17);
      expect(it.network.counts.bytes).toBe(2 * 17 * 286);
      it.network.addServer('echo', () => undefined);
      expect(it.network.counts.incoming('echo')).toBe(0);
    });
  });

  test('does not share memory with whoever is called', async () => {
    const it = scene();
    await it.scheduler.run(async () => {
      const args = { list: [1, 2], bytes: new Uint8Array([1]) };
      const reply = it.call(openEnd(it), args);
      args.list.push(3);
      args.bytes[0] = 9;
      expect(await reply).toEqual({ list: [1, 2], bytes: new Uint8Array([1]) });
    });
  });

  test('of many at once is answered, each with its own', async () => {
    const it = scene();
    await it.scheduler.run(async () => {
      const ends = Array.from({ length: 20 }, () => openEnd(it));
      const answers = await Promise.all(
        ends.flatMap((end, client) => Array.from({ length: 10 }, (_, at) => it.call(end, 100 * client + at))),
      );
      expect(answers).toEqual(ends.flatMap((_, client) => Array.from({ length: 10 }, (__, at) => 100 * client + at)));
    });
  });

  test('over a network that is not reliable comes through four times of five, and takes its time', async () => {
    const it = scene();
    it.network.isReliable = false;
    await it.scheduler.run(async () => {
      const end = openEnd(it);
      let answered = 0;
      for (let count = 0; count < 1_000; count++) if ((await it.call(end, 1)) !== null) answered += 1;
      expect(answered).toBeGreaterThan(770);
      expect(answered).toBeLessThan(850);
      expect(it.scheduler.now / 1_000).toBeGreaterThan(10);
    });
  });

  test('that is stuck in its server ends soon behind the server', async () => {
    const it = scene(60_000);
    await it.scheduler.run(async () => {
      const reply = it.call(openEnd(it), 1);
      await it.scheduler.sleep(1_000);
      const began = it.scheduler.now;
      it.network.deleteServer('echo');
      expect(await reply).toBeNull();
      expect(it.scheduler.now - began).toBeLessThanOrEqual(100);
    });
  });

  test('has no answer from a server that was replaced while it ran', async () => {
    const it = scene(50);
    await it.scheduler.run(async () => {
      const reply = it.call(openEnd(it), 1);
      await it.scheduler.sleep(10);
      it.network.addServer('echo', (_method, args, answer) => answer(args));
      expect(await reply).toBeNull();
    });
  });

  test('is answered late two times of three where answers are reordered', async () => {
    const it = scene();
    it.network.hasLongReordering = true;
    await it.scheduler.run(async () => {
      const end = openEnd(it);
      const waits: number[] = [];
      for (let count = 0; count < 900; count++) {
        const began = it.scheduler.now;
        await it.call(end, 1);
        waits.push(it.scheduler.now - began);
      }
      const late = waits.filter((wait) => wait > 100);
      expect(late.length).toBeGreaterThan(540);
      expect(late.length).toBeLessThan(660);
      expect(Math.min(...late)).toBeGreaterThanOrEqual(200);
      expect(Math.max(...late)).toBeLessThan(2_300);
    });
  });

  test('of what is no plain data is refused by its name', () => {
    const { network } = scene();
    const end = network.makeEnd('client', 'echo');
    expect(() => network.call(end, 'say', { log: [{ run: () => 1 }] }, () => undefined)).toThrow(
      /What stands at \.log\[0\]\.run is a function/,
    );
    expect(() => network.call(end, 'say', { at: new Date() }, () => undefined)).toThrow(/\.at is a Date/);
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => network.call(end, 'say', circle, () => undefined)).toThrow(/contains itself/);
  });
});
