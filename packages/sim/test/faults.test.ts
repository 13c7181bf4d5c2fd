/**
 * Each fault of network, processes and clocks bites: in a world that has only this one, what it does is seen. A fault that does
 * nothing would be drawn for ever and prove nothing. Those of disks stand in disk-faults.test.ts.
 */
import { describe, expect, test } from 'vitest';
import type { ActionKind } from '../src/world/action.ts';
import { healthyNetwork, type NetworkFaults } from '../src/world/network.ts';
import { milli, play, type Played, second, type Stage, survived } from './support/small-world.ts';

const quiet = survived(play({}));

describe('a world without faults', () => {
  test('loses, doubles and reorders nothing, answers every call, and keeps its leader', () => {
    const { stage, count, result } = quiet;
    expect(stage.received).toHaveLength(stage.sent.length);
    expect(heartbeatsOvertaken(stage)).toBe(0);
    for (const name of ['frames lost', 'frames duplicated', 'frames reordered', 'calls unknown', 'calls refused'])
      expect(count(name), name).toBe(0);
    expect(result.actions).toEqual([]);
    expect([...result.counts.keys()].filter((name) => name.startsWith('disk '))).toEqual([]);
    expect(stage.happened('role', null).filter(({ detail }) => detail === 'leader')).toHaveLength(1);
  });
});

describe('the network', () => {
  const faults: Record<Exclude<keyof NetworkFaults, 'reorderMicros'>, () => void> = {
    loss: () => {
      const { stage, count } = survived(play({ network: { ...healthyNetwork, loss: 100 } }));
      expect(count('frames lost')).toBeGreaterThan(20);
      expect(stage.received.length).toBeLessThan(stage.sent.length * 0.97);
      expect(count('calls unknown') + count('calls refused')).toBeGreaterThan(0);
    },
    duplication: () => {
      const { stage, count } = survived(play({ network: { ...healthyNetwork, duplication: 100 } }));
      expect(count('frames duplicated')).toBeGreaterThan(50);
      expect(stage.received.length).toBeGreaterThan(stage.sent.length * 1.03);
    },
    reordering: () => {
      const { stage, count } = survived(
        play({ network: { ...healthyNetwork, reordering: 200, reorderMicros: 300 * milli } }),
      );
      expect(count('frames reordered')).toBeGreaterThan(50);
      expect(heartbeatsOvertaken(stage)).toBeGreaterThan(0);
    },
    latency: () => {
      const { result } = survived(play({ network: { ...healthyNetwork, latency: [10 * milli, 20 * milli] } }));
      // To the server and back, and for a write to a follower and back.
      expect(fastestCall(result)).toBeGreaterThanOrEqual(20 * milli);
      expect(fastestCall(quiet.result)).toBeLessThan(5 * milli);
    },
  };
  test.each(Object.entries(faults))('%s', (_, check) => check());
});

/** Rounds of heartbeats that arrive behind a later round of the same leader. */
function heartbeatsOvertaken({ received }: Stage): number {
  const latest = new Map<string, number>();
  let overtaken = 0;
  for (const { message } of received) {
    // A notice of a commit belongs to no round.
    if (message.kind !== 'heartbeat' || message.round === 0) continue;
    const link = `${message.from}>${message.to} ${message.term}`;
    if (message.round < (latest.get(link) ?? 0)) overtaken++;
    latest.set(link, Math.max(message.round, latest.get(link) ?? 0));
  }
  return overtaken;
}

function fastestCall({ history }: Played['result']): number {
  // The last calls are made when the world is well again.
  const during = history.filter(({ called }) => called < 4 * second);
  return Math.min(...during.map(({ called, returned }) => (returned ?? Infinity) - called));
}

type DiskDeed = 'disk' | 'stallDisk' | 'stallLog' | 'rot' | 'spoil' | 'loseDisk' | 'fill' | 'free';

describe('a machine whose power is cut', () => {
  /** Its leader loses power a moment after the beginning, and comes back. */
  const cut = (how: 'process' | 'power', darkPowerCuts: boolean): Played =>
    survived(
      play({ darkPowerCuts }, (stage) => {
        const { id } = stage.leader();
        stage.do({ kind: 'crash', server: id, how });
        stage.later(2 * second, () => stage.do({ kind: 'start', server: id }));
      }),
    );
  const toldBefore = (stage: Stage, end: number): number => {
    const [crash] = stage.happened('crash', null);
    return stage.happened('peerGone', null, crash?.at).filter(({ at }) => at < (crash?.at ?? 0) + end).length;
  };

  test('is silent: nobody is told that its server is gone, and elections wait for their timeouts', () => {
    expect(toldBefore(cut('power', true).stage, 2 * second)).toBe(0);
    expect(toldBefore(cut('power', false).stage, 2 * second)).toBeGreaterThan(0);
    expect(toldBefore(cut('process', true).stage, 2 * second)).toBeGreaterThan(0);
  });

  test('resets what it knows nothing of when it is on again: long before the others miss its keepalives', () => {
    const { stage } = cut('power', true);
    const [restart] = stage.happened('start', null).toReversed();
    expect(restart?.detail).toBeDefined();
    const joined = stage.received.find(
      ({ at, message }) => at > (restart?.at ?? 0) && message.to === restart?.server && message.kind === 'heartbeat',
    );
    expect((joined?.at ?? 0) - (restart?.at ?? 0)).toBeGreaterThan(0);
    expect((joined?.at ?? 0) - (restart?.at ?? 0)).toBeLessThan(2 * second);
  });
});

describe('the adversary', () => {
  const deeds: Record<Exclude<ActionKind['kind'], DiskDeed | 'network'>, () => void> = {
    crash: () => {
      const { stage, count } = survived(
        play({}, (stage) => {
          const { id } = stage.leader();
          stage.do({ kind: 'crash', server: id, how: 'process' });
          stage.later(second, () => expect(stage.world.server(id).isRunning).toBe(false));
        }),
      );
      const [crash] = stage.happened('crash', null);
      expect(count('calls refused') + count('calls unknown')).toBeGreaterThan(0);
      expect(elected(stage, crash?.at ?? 0)).not.toBe(crash?.server);
      // A process that is killed loses nothing that it wrote.
      expect(count('disk crashLost') + count('disk crashTorn')).toBe(0);
    },
    start: () => {
      survived(
        play({}, (stage) => {
          const [{ id } = stage.leader()] = stage.followers();
          stage.do({ kind: 'crash', server: id, how: 'power' });
          stage.later(second, () => stage.do({ kind: 'start', server: id }));
          stage.later(2 * second, () => {
            const { node } = stage.world.server(id);
            expect(node?.leader).toBe(stage.leader().id);
            expect(node?.appliedIndex).toBeGreaterThan(0);
          });
        }),
      );
    },
    pause: () => {
      const { stage } = survived(play({}, (stage) => stage.do({ kind: 'pause', server: stage.leader().id })));
      const [paused] = stage.world.servers.filter(({ id }) => inputsBetween(stage, id, 2 * second, 5 * second) === 0);
      expect(paused?.id).toBeDefined();
      expect(elected(stage, 2 * second)).not.toBe(paused?.id);
    },
    resume: () => {
      const { stage } = survived(
        play({}, (stage) => {
          const sleeper = stage.leader();
          stage.do({ kind: 'pause', server: sleeper.id });
          stage.later(3 * second, () => {
            const termOf = (server: typeof sleeper): number => server.node?.status().term ?? 0;
            const [successor] = stage.world.servers.filter((each) => each !== sleeper && each.node?.isLeader === true);
            stage.do({ kind: 'resume', server: sleeper.id });
            // It wakes and believes that nothing happened: it leads, in a term that is over.
            expect(sleeper.node?.isLeader).toBe(true);
            expect(successor && termOf(successor)).toBeGreaterThan(termOf(sleeper));
            stage.later(second, () => expect(sleeper.node?.isLeader).toBe(false));
          });
        }),
      );
      expect(stage.happened('role', null).filter(({ detail }) => detail === 'leader')).toHaveLength(2);
    },
    cut: () => {
      // What it says is not heard: others take over, and it learns of that, for it hears them.
      const mute = survived(play({}, (stage) => cutLeader(stage, 'outward', 'silent')));
      expect(heardBetween(mute, 'from leader')).toBe(0);
      expect(heardBetween(mute, 'to leader')).toBeGreaterThan(0);
      // It hears nothing: its followers stay quiet, until it gives up by itself.
      const deaf = survived(play({}, (stage) => cutLeader(stage, 'inward', 'silent')));
      expect(heardBetween(deaf, 'to leader')).toBe(0);
      expect(heardBetween(deaf, 'from leader')).toBeGreaterThan(0);
      expect(deaf.count('seen leader steps down without a majority')).toBeGreaterThan(0);
      // With resets the transport notices, at once; the core is told.
      const reset = survived(play({}, (stage) => cutLeader(stage, 'outward', 'reset')));
      const soon = (played: Played): number =>
        played.stage.happened('unreachable', null).filter(({ at }) => at < begun(played) + 100 * milli).length;
      expect(soon(reset)).toBeGreaterThan(0);
      expect(soon(mute)).toBe(0);
    },
    heal: () => {
      survived(
        play({}, (stage) => {
          const { id } = stage.leader();
          cutLeader(stage, 'outward', 'silent');
          stage.later(second, () => stage.do({ kind: 'heal' }));
          stage.later(3 * second, () => {
            const { world } = stage;
            expect(world.server(id).node?.leader).toBe(stage.leader().id);
          });
        }),
      );
    },
    clog: () => {
      const played = survived(
        play({}, (stage) => {
          const from = stage.leader().id;
          for (const { id } of stage.followers()) stage.do({ kind: 'clog', from, to: id, micros: 300 * milli });
        }),
      );
      const at = begun(played);
      const heard = ({ at: when }: { readonly at: number }): boolean => when > at + milli && when < at + 300 * milli;
      const beats = played.stage.received.filter(({ message }) => message.kind === 'heartbeat');
      expect(beats.filter(heard)).toEqual([]);
      // Late, not lost.
      expect(played.stage.received).toHaveLength(played.stage.sent.length);
    },
    reset: () => {
      const played = survived(
        play({}, (stage) => {
          const [{ id } = stage.leader()] = stage.followers();
          stage.do({ kind: 'reset', from: stage.leader().id, to: id });
        }),
      );
      const at = begun(played);
      expect(played.stage.happened('unreachable', null, at).filter((each) => each.at < at + 10 * milli)).not.toEqual(
        [],
      );
    },
    change: () => {
      const { stage } = survived(
        play({}, (stage) => {
          const [{ id } = stage.leader()] = stage.followers();
          stage.do({ kind: 'change', server: id, changes: [{ op: 'demote', id }] });
          stage.later(2 * second, () => expect(stage.leader().node?.configuration.learners).toEqual([id]));
        }),
      );
      expect(stage.happened('change', null)).toHaveLength(1);
    },
    transfer: () => {
      survived(
        play({}, (stage) => {
          const [{ id } = stage.leader()] = stage.followers();
          stage.do({ kind: 'transfer', server: stage.leader().id, target: id });
          stage.later(second, () => expect(stage.leader().id).toBe(id));
        }),
      );
    },
    reformat: () => {
      survived(
        play({ spares: 1 }, (stage) => {
          const [spare] = stage.world.servers.slice(-1);
          if (spare === undefined) throw new Error('There is no spare.');
          const before = spare.node?.status().incarnation;
          stage.do({ kind: 'crash', server: spare.id, how: 'process' });
          stage.do({ kind: 'reformat', server: spare.id });
          stage.do({ kind: 'start', server: spare.id });
          stage.later(second, () => expect(spare.node?.status().incarnation).not.toBe(before));
        }),
      );
    },
    stepClock: () => {
      const jump = (millis: number): Played =>
        survived(play({}, (stage) => stage.do({ kind: 'stepClock', server: stage.leader().id, millis })));
      // Nothing that a server decides hangs on the time of day.
      expect(jump(3_600_000).result.stateHash).toBe(quiet.result.stateHash);
      expect(jump(-3_600_000).result.stateHash).toBe(quiet.result.stateHash);
      survived(
        play({}, (stage) => {
          const server = stage.leader();
          const before = server.wallTime;
          stage.do({ kind: 'stepClock', server: server.id, millis: 3_600_000 });
          expect(server.wallTime - before).toBe(3_600_000);
        }),
      );
    },
  };
  test.each(Object.entries(deeds))('%s', (_, check) => check());
});

describe('clocks', () => {
  test('drift: they run apart by as much as their rates allow, timers too, and elections come at other times', () => {
    const drifting = survived(play({ drift: 500 }));
    const ahead = (played: Played): number[] =>
      played.stage.events
        .filter(({ what, detail }) => what === 'message' && detail !== '')
        .map(({ at, detail }) => Math.abs(Number(detail) - at) / at);
    expect(Math.max(...ahead(quiet))).toBe(0);
    const rates = ahead(drifting);
    expect(Math.max(...rates)).toBeGreaterThan(50e-6);
    expect(Math.max(...rates)).toBeLessThanOrEqual(500e-6);
    const firstElection = ({ stage }: Played): number => stage.happened('timeout', null)[0]?.at ?? 0;
    expect(firstElection(drifting)).not.toBe(firstElection(quiet));
  });
});

/** When the adversary did its first deed. */
function begun({ result }: Played): number {
  return result.actions[0]?.at ?? Infinity;
}

/** Who became leader first after that moment. */
function elected(stage: Stage, since: number): string | undefined {
  return stage.happened('role', null, since).find(({ detail }) => detail === 'leader')?.server;
}

function inputsBetween(stage: Stage, server: string, from: number, to: number): number {
  const inputs = ['message', 'timeout', 'persisted', 'applied', 'propose', 'read'];
  return stage.events.filter(
    (event) => event.server === server && inputs.includes(event.what) && event.at > from && event.at < to,
  ).length;
}

function cutLeader(stage: Stage, side: 'outward' | 'inward', how: 'silent' | 'reset'): void {
  const { id } = stage.leader();
  for (const { id: other } of stage.followers()) {
    stage.do(
      side === 'outward' ? { kind: 'cut', from: id, to: other, how } : { kind: 'cut', from: other, to: id, how },
    );
  }
}

/** Messages that arrived behind the cut, well before the faults end. */
function heardBetween(played: Played, what: 'from leader' | 'to leader'): number {
  const { result, stage } = played;
  const [action] = result.actions;
  if (action?.kind !== 'cut') throw new Error('nothing was cut');
  const leader = stage.happened('role', null).find(({ detail }) => detail === 'leader')?.server;
  return stage.received.filter(
    ({ at, message }) =>
      at > action.at && at < action.at + 3 * second && leader === (what === 'from leader' ? message.from : message.to),
  ).length;
}
