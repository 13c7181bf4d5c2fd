/** The core world: what happens in it happens to real cores, can be done again, and is the same whichever way one came to it. */
import { describe, expect, test } from 'vitest';
import {
  ActionError,
  type CoreAction,
  CoreWorld,
  type CoreWorldOptions,
  Invariants,
  RandomStream,
  viewOf,
} from '../src/index.ts';

const clockWorld: CoreWorldOptions = { servers: 3, timing: 'clock', seed: 7 };
const searchWorld: CoreWorldOptions = {
  servers: 3,
  timing: 'order',
  budgets: {
    terms: 4,
    elections: 6,
    heartbeats: 4,
    requests: 4,
    reads: 2,
    crashes: 3,
    drops: 5,
    duplicates: 3,
    snapshots: 2,
  },
};

/** Lets what is due happen, until `steps` are done. */
function letRun(world: CoreWorld, steps: number): void {
  for (let step = 0; step < steps; step++) {
    const next = world.next();
    if (next === null) return;
    world.carryOut(next);
  }
}

/** Chooses among all that can be done; returns what was. */
function wander(world: CoreWorld, seed: number, steps: number): CoreAction[] {
  const random = new RandomStream(seed);
  const done: CoreAction[] = [];
  for (let step = 0; step < steps; step++) {
    const enabled = world.enabled();
    if (enabled.length === 0) break;
    const action = random.pick(enabled);
    world.carryOut(action);
    done.push(action);
  }
  return done;
}

describe('with a clock', () => {
  test('what is due brings a leader about, and a command to every machine', () => {
    const world = new CoreWorld(clockWorld, [new Invariants()]);
    letRun(world, 60);
    const leader = world.servers.find(({ raft }) => raft?.role === 'leader');
    expect(leader).toBeDefined();
    world.carryOut({ kind: 'propose', server: leader!.id });
    letRun(world, 40);
    expect(world.servers.map(({ machine }) => machine.commands)).toEqual([1, 1, 1]);
    expect(world.operations[0]).toMatchObject({ kind: 'propose', state: 'done' });
    expect(viewOf(world.server(leader!.id)!).entries.map(({ kind, text }) => `${kind} ${text}`.trim())).toEqual([
      'noop',
      'command c1',
    ]);
    expect(world.broken).toBeNull();
  });

  test('time never goes back, and a timer fired by hand takes the clock along', () => {
    const world = new CoreWorld(clockWorld);
    const due = world.server('n2')!.timers.find(({ name }) => name === 'election')!.due;
    world.carryOut({ kind: 'timeout', server: 'n2', timer: 'election' });
    expect(world.now).toBe(due);
    let before = world.now;
    for (let step = 0; step < 200; step++) {
      letRun(world, 1);
      expect(world.now).toBeGreaterThanOrEqual(before);
      before = world.now;
    }
  });

  test('the same seed makes the same run, another seed another', () => {
    const end = (seed: number): string => {
      const world = new CoreWorld({ ...clockWorld, seed });
      letRun(world, 300);
      return JSON.stringify([world.now, world.fingerprint()]);
    };
    expect(end(7)).toBe(end(7));
    expect(end(7)).not.toBe(end(8));
  });

  test('a server that is to crash at its disk loses what it writes then', () => {
    const world = new CoreWorld(clockWorld);
    world.carryOut({ kind: 'crashAtDisk', server: 'n1' });
    world.carryOut({ kind: 'timeout', server: 'n1', timer: 'election' });
    while (world.server('n1')!.pending.length === 0) letRun(world, 1);
    world.carryOut({ kind: 'persist', server: 'n1' });
    expect(viewOf(world.server('n1')!)).toMatchObject({ status: 'down', term: 0, vote: null });
  });

  test('what a cut link keeps from arriving can be told, and arrives when it is mended', () => {
    const world = new CoreWorld(clockWorld);
    world.carryOut({ kind: 'timeout', server: 'n1', timer: 'election' });
    const flight = world.flights.find(({ message }) => message.to === 'n2')!;
    world.carryOut({ kind: 'cut', from: 'n1', to: 'n2' });
    expect(world.why({ kind: 'deliver', message: flight.id })).toBe('the link from n1 to n2 is cut');
    expect(() => world.carryOut({ kind: 'deliver', message: flight.id })).toThrow(ActionError);
    world.carryOut({ kind: 'heal' });
    expect(world.carryOut({ kind: 'deliver', message: flight.id }).inputs[0]).toMatchObject({ kind: 'message' });
  });
});

describe('without a clock', () => {
  test('stickiness runs out before the election timer', () => {
    const world = new CoreWorld({
      servers: 3,
      timing: 'order',
      disk: 'atOnce',
      budgets: { heartbeats: 2, elections: 4 },
    });
    world.carryOut({ kind: 'timeout', server: 'n1', timer: 'election' });
    for (let flight = world.flights[0]; flight !== undefined; flight = world.flights[0])
      world.carryOut({ kind: 'deliver', message: flight.id });
    expect(world.server('n1')!.raft!.role).toBe('leader');
    expect(world.why({ kind: 'timeout', server: 'n2', timer: 'election' })).toBe(
      'its stickiness timer runs out before',
    );
    world.carryOut({ kind: 'timeout', server: 'n2', timer: 'stickiness' });
    expect(world.why({ kind: 'timeout', server: 'n2', timer: 'election' })).toBeNull();
  });

  test('a budget that is spent says so', () => {
    const world = new CoreWorld({ servers: 3, timing: 'order', budgets: { elections: 1 } });
    world.carryOut({ kind: 'timeout', server: 'n1', timer: 'election' });
    expect(world.why({ kind: 'timeout', server: 'n2', timer: 'election' })).toBe('the budget of 1 elections is spent');
  });

  test.each([
    { servers: 0 },
    { servers: 10 },
    { servers: 3, seed: -1 },
    { servers: 3, budgets: { terms: 1.5 } },
    { servers: 3, budgets: { lives: 1 } as object },
  ])('options that cannot be are refused: %o', (options) => {
    expect(() => new CoreWorld({ timing: 'order', ...options })).toThrow(RangeError);
  });
});

describe.each([
  ['search', searchWorld],
  [
    'search, changes of membership, transfers, damage and pauses',
    {
      ...searchWorld,
      servers: 2,
      spares: 1,
      isBound: false,
      budgets: {
        ...searchWorld.budgets,
        stickiness: 20,
        heartbeats: 40,
        changes: 3,
        transfers: 2,
        damage: 1,
        pauses: 2,
        cuts: 4,
      },
    },
  ],
  ['search, disks at once', { ...searchWorld, disk: 'atOnce' as const }],
  ['clock', clockWorld],
  ['clock, five servers and spares', { ...clockWorld, servers: 4, learners: 1, spares: 1, isBound: false }],
])('random walks: %s', (_, options) => {
  test('good cores keep every invariant, those of the world and those of the judges', () => {
    for (let seed = 1; seed <= 25; seed++) {
      const world = new CoreWorld(options, [new Invariants()]);
      try {
        wander(world, seed, 400);
      } catch (error) {
        throw new Error(`seed ${seed}, step ${world.steps}: ${String(error)}`, { cause: error });
      }
      expect(world.broken, `seed ${seed}`).toBeNull();
    }
  });

  test('a list of actions leads to the same state again, whether steps are remembered or made anew', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new CoreWorld(options);
      const done = wander(world, seed, 300);
      const watched = new CoreWorld(options, [new Invariants()]);
      for (const action of done) watched.carryOut(action);
      expect(watched.fingerprint(), `seed ${seed}`).toEqual(world.fingerprint());
      expect(watched.flights.map(({ id }) => id)).toEqual(world.flights.map(({ id }) => id));
    }
  });

  test('a clone goes its own way', () => {
    const world = new CoreWorld(options);
    wander(world, 3, 100);
    const fingerprint = world.fingerprint();
    const servers = JSON.stringify(world.servers);
    wander(world.clone(), 4, 200);
    expect(world.fingerprint()).toEqual(fingerprint);
    expect(JSON.stringify(world.servers)).toBe(servers);
  });
});
