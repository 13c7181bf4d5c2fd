import type { TimerCommand, TimerName } from '@quorate/raft';
import { describe, expect, it } from 'vitest';
import { NamedTimers } from '../src/loop/named-timers.ts';
import { noDisk } from './support/no-disk.ts';
import { VirtualWorld } from './support/virtual-world.ts';

describe('named timers', () => {
  it('run out between their least and their greatest delay, drawn anew each time', async () => {
    const { world, timers, fired, arm } = timersIn(1);
    const delays = new Set<number>();
    for (let round = 0; round < 200; round++) {
      const start = world.now;
      arm('election', round, 1_000, 2_000);
      await world.until(() => fired.length > round, 'the timer');
      delays.add(world.now - start);
    }
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2_001);
    expect(delays.size).toBeGreaterThan(100);
    timers.stop();
  });

  it('are silent once disarmed or stopped', async () => {
    const { world, timers, fired, arm } = timersIn(2);
    arm('heartbeat', 1, 1_000, 1_000);
    arm('heartbeat', 2, 0, 0);
    arm('election', 1, 2_000, 2_000);
    await world.run(1_500);
    timers.stop();
    await world.run(10_000);
    expect(fired).toEqual([]);
  });

  it('report the generation they were armed with last', async () => {
    const { world, fired, arm } = timersIn(3);
    arm('election', 1, 1_000, 1_000);
    await world.run(900);
    arm('election', 2, 1_000, 1_000);
    await world.run(900);
    expect(fired).toEqual([]);
    await world.run(200);
    expect(fired).toEqual(['election 2']);
  });

  it('cost one real timer, however often they are armed later', async () => {
    const { world, arm, realTimers } = timersIn(4);
    arm('election', 0, 1_000_000, 1_000_000);
    for (let round = 1; round <= 1000; round++) {
      await world.run(100);
      arm('election', round, 1_000_000, 1_000_000);
    }
    expect(realTimers()).toBe(1);
  });

  it('that are due together fire stickiness first and election next', async () => {
    const { world, fired, arm } = timersIn(5);
    for (const name of ['transfer', 'commitNotice', 'quorumCheck', 'heartbeat', 'election', 'stickiness'] as const)
      arm(name, 1, 500, 500);
    await world.run(600);
    expect(fired).toEqual([
      'stickiness 1',
      'election 1',
      'heartbeat 1',
      'quorumCheck 1',
      'commitNotice 1',
      'transfer 1',
    ]);
  });

  it('hear first what had arrived when they ran out: a stalled server does not stand against its leader', async () => {
    const { world, fired, arm, lateness } = timersIn(6);
    const environment = world.environment('a', noDisk, () => true);
    arm('election', 1, 1_000, 1_000);
    world.freeze('a');
    // The timer runs out, and after it a heartbeat arrives. Both wait until the process goes on.
    environment.timers.set(3_000, () => arm('election', 2, 1_000, 1_000));
    await world.run(5_000);
    world.thaw('a');
    await world.run(500);
    expect(fired).toEqual([]);
    expect(Math.max(...lateness)).toBe(4_000);
    await world.run(1_000);
    expect(fired).toEqual(['election 2']);
  });
});

function timersIn(seed: number): {
  readonly world: VirtualWorld;
  readonly timers: NamedTimers;
  readonly fired: string[];
  readonly lateness: number[];
  readonly arm: (name: TimerName, generation: number, min: number, max: number) => void;
  readonly realTimers: () => number;
} {
  const world = new VirtualWorld(seed);
  const environment = world.environment('a', noDisk, () => true);
  let realTimers = 0;
  const counted = {
    ...environment,
    timers: {
      ...environment.timers,
      set: (delay: number, callback: () => void) => {
        realTimers++;
        return environment.timers.set(delay, callback);
      },
    },
  };
  const fired: string[] = [];
  const lateness: number[] = [];
  const timers = new NamedTimers(counted, {
    onDue: () =>
      environment.timers.afterPoll(() => {
        for (const { name, generation } of timers.takeDue()) fired.push(`${name} ${generation}`);
      }),
    onLate: (late) => lateness.push(late),
  });
  const arm = (name: TimerName, generation: number, min: number, max: number): void => {
    const command: TimerCommand = { name, generation, min, max };
    timers.arm([command], world.now);
  };
  return { world, timers, fired, lateness, arm, realTimers: () => realTimers };
}
