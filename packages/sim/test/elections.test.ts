/** What it costs when servers are ill, gone or only half connected: elections, and time without a leader. */
import { describe, expect, test } from 'vitest';
import type { CutKind } from '../src/world/network.ts';
import { calm, milli, play, type Played, second, type Stage, survived } from './support/small-world.ts';

type Way = 'both' | 'in' | 'out';

function cut(stage: Stage, id: string, way: Way, how: CutKind): void {
  for (const { id: other } of stage.world.servers) {
    if (other === id) continue;
    if (way !== 'in') stage.do({ kind: 'cut', from: id, to: other, how });
    if (way !== 'out') stage.do({ kind: 'cut', from: other, to: id, how });
  }
}

/** Who was elected since, in order. */
function elected(stage: Stage, since: number): readonly string[] {
  const roles = stage.happened('role', null, since);
  return roles.filter(({ detail }) => detail === 'leader').map(({ server }) => server);
}

const FLAPS = 10;

/** A leader's links come and go ten times. */
function flap(way: Way, how: CutKind, micros: number, servers: number): number {
  let since = 0;
  const faultMicros = (FLAPS * 2 + 4) * micros + 10 * second;
  const { stage } = survived(
    play({ servers, faultMicros, thinkMicros: 500 * milli }, (stage) => {
      const { id } = stage.leader();
      since = stage.world.clock.now;
      const again = (left: number): void => {
        cut(stage, id, way, how);
        stage.later(micros, () => {
          stage.do({ kind: 'heal' });
          if (left > 1) stage.later(micros, () => again(left - 1));
        });
      };
      again(FLAPS);
    }),
  );
  return elected(stage, since).length;
}

describe('ten flaps of a leader cost at most three elections', () => {
  const rhythms = [300 * milli, second, 3 * second];
  const ways: readonly (readonly [Way, CutKind])[] = [
    ['both', 'silent'],
    ['both', 'reset'],
    ['out', 'silent'],
    ['in', 'silent'],
  ];
  const cases = ways.flatMap(([way, how]) => rhythms.map((micros) => [way, how, micros] as const));
  test.each(cases)('cut off %s ways with %s, for %i µs each time', (way, how, micros) => {
    for (const servers of [3, 5]) expect(flap(way, how, micros, servers), `${servers} servers`).toBeLessThanOrEqual(3);
  });
});

describe('a server that is connected by half', () => {
  test.each([
    ['hears, and is not heard', 'out'],
    ['is heard, and hears nobody', 'in'],
  ] as const)('and %s costs one election for the leadership that it holds, and none afterwards', (_, way) => {
    let since = 0;
    let victim = '';
    const { stage } = survived(
      play({ faultMicros: 40 * second, thinkMicros: 500 * milli }, (stage) => {
        ({ id: victim } = stage.leader());
        since = stage.world.clock.now;
        cut(stage, victim, way, 'silent');
        stage.later(30 * second, () => stage.do({ kind: 'heal' }));
      }),
    );
    const winners = elected(stage, since);
    expect(winners).toHaveLength(1);
    expect(winners).not.toContain(victim);
  });
});

describe('a leader whose process is gone', () => {
  /** How long until another one led. */
  function pause(raft: Partial<Exclude<typeof calm.tunables.raft, undefined>>): number {
    let since = 0;
    const tunables = { ...calm.tunables, raft: { ...calm.tunables.raft, ...raft } };
    const { stage } = survived(
      play({ tunables }, (stage) => {
        since = stage.world.clock.now;
        stage.do({ kind: 'crash', server: stage.leader().id, how: 'process' });
      }),
    );
    const next = stage.happened('role', null, since).find(({ detail }) => detail === 'leader');
    return (next?.at ?? Infinity) - since;
  }

  test('is replaced within a fraction of an election timeout', () => {
    expect(pause({})).toBeLessThan(100 * milli);
  });

  test('is protected for as long as its lease may last, where leases are used', () => {
    expect(pause({ leaseReads: true })).toBeGreaterThan(400 * milli);
  });
});

describe('a leader that is ill', () => {
  function withLeader(act: (stage: Stage, id: string) => void): Played & { readonly since: number; id: string } {
    let since = 0;
    let id = '';
    const played = survived(
      play({ faultMicros: 20 * second }, (stage) => {
        ({ id } = stage.leader());
        since = stage.world.clock.now;
        act(stage, id);
      }),
    );
    return { ...played, since, id };
  }

  test('hands over when its disk stands still, and is not elected again at once', () => {
    const { stage, since, id, count } = withLeader((stage, server) => {
      stage.do({ kind: 'stallDisk', server, micros: 8 * second });
    });
    expect(count('seen leader whose disk stands still hands over')).toBe(1);
    const [next] = stage.happened('role', null, since).filter(({ detail }) => detail === 'leader');
    expect(next?.server).not.toBe(id);
    expect((next?.at ?? Infinity) - since).toBeLessThan(2 * second);
    expect(elected(stage, since)).toHaveLength(1);
  });

  test('has to prove itself when its process slept', () => {
    // The others slept as well, so nobody has taken over.
    const { count, stage, since } = withLeader((stage) => {
      for (const { id } of stage.world.servers) stage.do({ kind: 'pause', server: id });
      stage.later(5 * second, () => {
        for (const { id } of stage.world.servers) stage.do({ kind: 'resume', server: id });
      });
    });
    expect(count('seen leader that slept proves itself')).toBe(1);
    expect(elected(stage, since)).toEqual([]);
  });
});
