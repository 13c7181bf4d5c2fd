/**
 * Each fault of disks bites a cluster: in a world that has only this one, a server is seen to suffer it. What a disk alone does
 * under each stands in disk.test.ts.
 */
import { describe, expect, test } from 'vitest';
import { type DiskFaultKind, type DiskFaults, healthyDisk } from '../src/disk/index.ts';
import type { RunOptions } from '../src/swarm/options.ts';
import type { ActionKind } from '../src/world/action.ts';
import { calm, milli, play, type Played, second, type Stage, survived } from './support/small-world.ts';

/** Every disk has the fault; in the middle all servers are started again, so that what was written is read. */
function withFault(fault: Partial<DiskFaults>, changes: Partial<RunOptions> = {}): Played {
  return survived(
    play({ faultMicros: 6 * second, ...changes }, (stage) => {
      const { servers } = stage.world;
      for (const { id } of servers) stage.do({ kind: 'disk', server: id, faults: { ...healthyDisk, ...fault } });
      stage.later(3 * second, () => {
        for (const { id } of servers) stage.do({ kind: 'crash', server: id, how: 'process' });
        for (const { id } of servers) stage.do({ kind: 'start', server: id });
      });
    }),
  );
}

/** One server may lose anything. */
const oneDoomed = { damage: { lost: 1, entries: true, beyond: false, unbound: false } };

/** Servers that ended by themselves, and why. */
function endings(stage: Stage): string[] {
  return stage.happened('fatal', null).map(({ detail }) => detail);
}

describe('a fault of the disk', () => {
  const faults: Record<Exclude<keyof DiskFaults, 'slowMicros'>, () => void> = {
    readError: () => {
      const { stage, count } = withFault({ readError: 400 });
      expect(count('disk readError')).toBeGreaterThan(0);
      expect(endings(stage)).toContainEqual(expect.stringMatching(/^StorageFailed: .*EIO: the read failed/));
    },
    writeError: () => {
      const { stage, count } = withFault({ writeError: 20 });
      expect(count('disk writeError')).toBeGreaterThan(0);
      expect(endings(stage)).toContainEqual(expect.stringMatching(/^StorageFailed: .*EIO: the write failed/));
    },
    syncError: () => {
      const { stage, count } = withFault({ syncError: 20 });
      expect(count('disk syncError')).toBeGreaterThan(0);
      expect(endings(stage)).toContainEqual(expect.stringMatching(/^StorageFailed: .*EIO: the sync failed/));
      expect(count('seen failed sync ends a server')).toBeGreaterThan(0);
    },
    slow: () => {
      const { count, result } = withFault({ slow: 1000, slowMicros: 100 * milli });
      expect(count('disk slow')).toBeGreaterThan(100);
      expect(result.history.length).toBeLessThan(play({ faultMicros: 6 * second }).result.history.length / 2);
    },
    stuck: () => {
      const { stage, count } = withFault({ stuck: 20 });
      expect(count('disk stuck')).toBeGreaterThan(0);
      expect(count('calls unknown')).toBeGreaterThan(0);
      expect(endings(stage)).toEqual([]);
    },
    bitRot: () => {
      const { stage, count } = withFault({ bitRot: 300 }, oneDoomed);
      expect(count('disk bitRot')).toBeGreaterThan(5);
      expect(damaged(stage, 'bitRot')).toEqual(expect.arrayContaining(['hardstate', 'wal/0000000001.wal']));
      expect(noticed(stage)).toBe(true);
    },
    misdirectedWrite: () => {
      const { stage, count } = withFault({ misdirectedWrite: 200 }, oneDoomed);
      expect(count('disk misdirectedWrite')).toBeGreaterThan(0);
      expect(damaged(stage, 'misdirectedWrite').length).toBeGreaterThan(1);
      expect(noticed(stage)).toBe(true);
    },
    lostWrite: () => {
      const { stage, count } = withFault({ lostWrite: 50 }, oneDoomed);
      expect(count('disk lostWrite')).toBeGreaterThan(0);
      expect(damaged(stage, 'lostWrite')).toContain('wal/0000000001.wal');
      expect(noticed(stage)).toBe(true);
    },
    misdirectedRead: () => {
      const { stage, count } = withFault({ misdirectedRead: 1000 }, oneDoomed);
      expect(count('disk misdirectedRead')).toBeGreaterThan(0);
      expect(damaged(stage, 'misdirectedRead')).toEqual([]);
      expect(noticed(stage)).toBe(true);
    },
  };
  test.each(Object.entries(faults))('%s', (_, check) => check());
});

function damaged(stage: Stage, kind: string): string[] {
  const damages = stage.happened('damage', null).map(({ detail }) => detail.split(' '));
  return damages.filter(([name]) => name === kind).map(([, path]) => path ?? '');
}

/** A damaged server says so: it does not start, or asks others for its entries. */
function noticed(stage: Stage): boolean {
  const asks = stage.sent.some(({ message }) => message.kind === 'fetchEntries');
  return asks || endings(stage).length > 0;
}

type DiskDeed = Extract<
  ActionKind['kind'],
  'disk' | 'stallDisk' | 'stallLog' | 'rot' | 'spoil' | 'loseDisk' | 'fill' | 'free'
>;

describe('what the adversary does to a disk', () => {
  const deeds: Record<DiskDeed, () => void> = {
    disk: () => {
      // One server's faults are its own.
      let victim = '';
      const { stage } = survived(
        play({}, (stage) => {
          [{ id: victim } = stage.leader()] = stage.followers();
          stage.do({ kind: 'disk', server: victim, faults: { ...healthyDisk, syncError: 1000 } });
        }),
      );
      expect(stage.happened('fatal', null).map(({ server }) => server)).toEqual([victim]);
    },
    stallDisk: () => {
      const { silence } = stalled('stallDisk');
      expect(silence).toBeGreaterThanOrEqual(500 * milli);
    },
    stallLog: () => {
      const { silence } = stalled('stallLog');
      expect(silence).toBeGreaterThanOrEqual(500 * milli);
    },
    rot: () => {
      const { stage } = survived(
        play(oneDoomed, (stage) => {
          for (let more = 0; more < 20; more++)
            for (const { id } of stage.world.servers) stage.do({ kind: 'rot', server: id });
        }),
      );
      expect(damaged(stage, 'bitRot').length).toBeGreaterThan(5);
    },
    spoil: () => {
      let victim = '';
      const { stage } = survived(
        play({ ...oneDoomed, faultMicros: 6 * second }, (stage) => {
          stage.later(2 * second, () => {
            const last = stage.leader().node?.status().lastIndex ?? 0;
            for (let index = 2; index < last - 20; index++)
              for (const { id } of stage.world.servers) stage.do({ kind: 'spoil', server: id, index });
            victim = stage.happened('damage', null)[0]?.server ?? 'nobody';
            stage.do({ kind: 'crash', server: victim, how: 'process' });
            stage.do({ kind: 'start', server: victim });
          });
        }),
      );
      const asked = stage.sent.find(({ message }) => message.kind === 'fetchEntries');
      expect(asked?.message.from).toBe(victim);
      expect(stage.happened('repaired', victim).length).toBeGreaterThan(0);
    },
    loseDisk: () => {
      let victim = '';
      const { stage } = survived(
        play({ ...oneDoomed, faultMicros: 6 * second }, (stage) => {
          [{ id: victim } = stage.leader()] = stage.followers();
          stage.do({ kind: 'crash', server: victim, how: 'power' });
          stage.do({ kind: 'loseDisk', server: victim, state: 'new' });
          stage.later(milli, () => stage.do({ kind: 'start', server: victim }));
        }),
      );
      expect(damaged(stage, 'diskLost')).toHaveLength(1);
      // Another incarnation: it is told that it ran before, and neither votes nor counts.
      const told = stage.happened('foreignIncarnation', null).length + endings(stage).length;
      expect(told).toBeGreaterThan(0);
    },
    fill: () => {
      const { stage, result, count } = survived(
        play({}, (stage) => {
          for (const { id } of stage.world.servers) stage.do({ kind: 'fill', server: id, left: 100_000 });
        }),
      );
      expect(count('disk full') + refusals(result)).toBeGreaterThan(0);
      expect(stage.happened('crash', null)).toEqual([]);
    },
    free: () => {
      // Room is there again: the same processes take writes again.
      let before = 0;
      const { stage, result } = survived(
        play({ faultMicros: 8 * second }, (stage) => {
          for (const { id } of stage.world.servers) stage.do({ kind: 'fill', server: id, left: 66_000 });
          stage.later(3 * second, () => {
            for (const { id } of stage.world.servers) stage.do({ kind: 'free', server: id });
            before = stage.leader().node?.commitIndex ?? Infinity;
          });
          stage.later(6 * second, () => expect(stage.leader().node?.commitIndex).toBeGreaterThan(before + 50));
        }),
      );
      expect(refusals(result)).toBeGreaterThan(0);
      expect(stage.happened('start', null)).toHaveLength(3);
      expect(endings(stage)).toEqual([]);
    },
  };
  test.each(Object.entries(deeds))('%s', (_, check) => check());
});

/** The longest time in which a follower's log confirmed nothing, once it was stalled for half a second. */
function stalled(kind: 'stallDisk' | 'stallLog'): { readonly silence: number } {
  let victim = '';
  const { stage, result } = survived(
    play({}, (stage) => {
      [{ id: victim } = stage.leader()] = stage.followers();
      stage.do({ kind, server: victim, micros: 500 * milli });
    }),
  );
  const since = result.actions[0]?.at ?? Infinity;
  const [confirmed] = stage.happened('persisted', victim, since + 5 * milli);
  return { silence: (confirmed?.at ?? 0) - since };
}

/** Writes that were refused for want of room: a definite answer. */
function refusals({ history }: Played['result']): number {
  return history.filter(({ outcome }) => outcome.kind === 'refused' && /space|room|full/i.test(outcome.code)).length;
}

describe('a crash', () => {
  const crashes = (how: 'power' | 'process'): Played['count'] =>
    survived(
      play(
        { thinkMicros: 2 * milli, faultMicros: 6 * second, workload: { ...calm.workload, valueBytes: 2000 } },
        (stage) => {
          const again = (left: number): void => {
            const [{ id } = stage.leader()] = stage.followers();
            stage.do({ kind: 'crash', server: id, how });
            stage.do({ kind: 'start', server: id });
            if (left > 0) stage.later(73 * milli + 401 * left, () => again(left - 1));
          };
          again(60);
        },
      ),
    ).count;
  const power = crashes('power');
  const process = crashes('process');

  const lost: Record<Extract<DiskFaultKind, 'crashLost' | 'crashTorn'>, () => void> = {
    crashLost: () => {
      expect(power('disk crashLost')).toBeGreaterThan(0);
      expect(process('disk crashLost')).toBe(0);
    },
    crashTorn: () => {
      expect(power('disk crashTorn')).toBeGreaterThan(0);
      expect(process('disk crashTorn')).toBe(0);
    },
  };
  test.each(Object.entries(lost))('%s', (_, check) => check());

  test('between write and sync leaves a torn batch behind, and the restart drops it', () => {
    expect(power('seen torn batch')).toBeGreaterThan(0);
  });
});
