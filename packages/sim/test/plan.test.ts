import {
  type Action,
  type ActionKind,
  blindWatcher,
  decodeTrace,
  encodeTrace,
  endingOf,
  endsAlike,
  healthyDisk,
  type Plan,
  planTrace,
  readPlan,
  runPlan,
  runSeed,
  type WatcherFactory,
  shrinkPlan,
  TraceError,
  Violation,
} from '@quorate/sim';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { healthyNetwork } from '../src/world/network.ts';

const unwatched: WatcherFactory = () => [];

/** Finds fault with two servers that were both down once: what it takes is two crashes. */
const twoCrashes: WatcherFactory = () => {
  const crashed = new Set<string>();
  return [
    {
      ...blindWatcher,
      onCrash: (server) => {
        crashed.add(server);
        if (crashed.size > 1) throw new Violation('X1', 'only one server ever crashes', `${server} crashed, too`);
      },
    },
  ];
};

describe('a plan', () => {
  it('leads a world exactly where its adversary led it', () => {
    for (let seed = 0; seed < 12; seed++) {
      const drawn = runSeed(seed, { faultSeconds: 3 }, unwatched);
      const played = runPlan(drawn, unwatched);
      expect(played.actions).toEqual(drawn.actions);
      expect({ seed, hash: played.stateHash, steps: played.steps }).toEqual({
        seed,
        hash: drawn.stateHash,
        steps: drawn.steps,
      });
    }
  });

  it('comes back from its trace', () => {
    const result = runSeed(3, { faultSeconds: 5 }, unwatched);
    const plan = { seed: result.seed, options: result.options, actions: result.actions };
    const { header, records } = planTrace({ plan, ending: endingOf(result) }, 'test', 'plan.test');
    const trace = decodeTrace(encodeTrace(header, records));
    const read = readPlan(trace.header, trace.records);
    expect(read).toEqual({ plan, ending: endingOf(result) });
    expect(runPlan(read.plan, unwatched).stateHash).toBe(result.stateHash);
  });

  it('is refused when it is of another build, or none', () => {
    const result = runSeed(3, { servers: 1, faultSeconds: 1 }, unwatched);
    const { header, records } = planTrace({ plan: result, ending: endingOf(result) }, 'test', 'plan.test');
    const { clients: _, ...fewer } = result.options;
    const older = { ...header, configuration: { ...header.configuration, options: fewer as never } };
    expect(() => readPlan(older, records)).toThrow(/configuration\.options\.clients is absent/);
    expect(() => readPlan({ ...header, configuration: {} }, records)).toThrow(/no run of a simulated cluster/);
    const read = (action: { kind: string }) => () => readPlan(header, [{ kind: 'decision', at: 1, step: 1, action }]);
    expect(read({ kind: 'curse' })).toThrow(/knows no action 'curse'/);
    expect(read({ kind: 'crash' })).toThrow(/needs a string as server/);
  });

  it('brings every kind of action back from its trace, and refuses each that lacks a part', () => {
    const { options } = runSeed(3, { servers: 1, faultSeconds: 1 }, unwatched);
    const ending = { invariant: '', facts: [], stateHash: 1 };
    fc.assert(
      fc.property(fc.array(fc.oneof(...Object.values(actions)), { maxLength: 10 }), (drawn) => {
        const plan: Plan = { seed: 3, options, actions: drawn };
        const { header, records } = planTrace({ plan, ending }, 'test', 'plan.test');
        const lines = [...encodeTrace(header, records)];
        const read = (text: readonly string[]): unknown => {
          const trace = decodeTrace(text);
          return readPlan(trace.header, trace.records);
        };
        expect(read(lines)).toEqual({ plan, ending });
        for (const { at, action } of records) {
          for (const part of ['at', 'step', 'action', ...Object.keys(action)]) {
            const spoilt = lines.map((line) => line.replaceAll(`"${part}":`, '"nothing":'));
            expect(() => read(spoilt), `${action.kind} at ${at} without ${part}`).toThrow(TraceError);
          }
        }
      }),
    );
  });

  it('is made as small as what it takes to break the same', () => {
    const result = runSeed(firstBroken(), { servers: 3, faultSeconds: 10 }, twoCrashes);
    const ending = endingOf(result);
    expect(ending.invariant).toBe('X1');
    const breaks = (plan: Plan): boolean => endsAlike(endingOf(runPlan(plan, twoCrashes)), ending);
    const { plan, runs, isMinimal } = shrinkPlan(result, breaks, 400);
    expect(plan.actions.map(({ kind }) => kind)).toEqual(['crash', 'crash']);
    expect(plan.options.clients).toBe(1);
    expect(plan.options.faultMicros).toBeLessThan(result.options.faultMicros);
    expect(breaks(plan)).toBe(true);
    expect(isMinimal).toBe(true);
    expect(runs).toBeLessThan(400);
  });

  it('stays as small as it was got when there is no more time', () => {
    const result = runSeed(firstBroken(), { servers: 3, faultSeconds: 10 }, twoCrashes);
    const breaks = (plan: Plan): boolean => endingOf(runPlan(plan, twoCrashes)).invariant === 'X1';
    const { plan, runs, isMinimal } = shrinkPlan(result, breaks, 5);
    expect({ runs, isMinimal, breaks: breaks(plan) }).toEqual({ runs: 5, isMinimal: false, breaks: true });
  });
});

const server = fc.constantFrom('a', 'b', 'c');
const micros = fc.nat();
const some = <Kind extends ActionKind['kind']>(
  kind: Kind,
  parts: { readonly [Part in keyof Omit<Extract<ActionKind, { kind: Kind }>, 'kind'>]: fc.Arbitrary<unknown> },
): fc.Arbitrary<Action> =>
  fc.record({ at: fc.nat(), step: fc.nat(), kind: fc.constant(kind), ...parts }).map((action) => action as Action);
/** Keyed by kind, so that none is forgotten. */
const actions: { readonly [Kind in ActionKind['kind']]: fc.Arbitrary<Action> } = {
  crash: some('crash', { server, how: fc.constantFrom('process', 'power') }),
  start: some('start', { server }),
  pause: some('pause', { server }),
  resume: some('resume', { server }),
  cut: some('cut', { from: server, to: server, how: fc.constantFrom('silent', 'reset') }),
  clog: some('clog', { from: server, to: server, micros }),
  reset: some('reset', { from: server, to: server }),
  heal: some('heal', {}),
  network: some('network', { faults: fc.constant(healthyNetwork) }),
  disk: some('disk', { server, faults: fc.constant(healthyDisk) }),
  stallDisk: some('stallDisk', { server, micros }),
  stallLog: some('stallLog', { server, micros }),
  spoil: some('spoil', { server, index: fc.nat() }),
  rot: some('rot', { server }),
  loseDisk: some('loseDisk', { server, state: fc.constantFrom('new', 'existing') }),
  fill: some('fill', { server, left: fc.nat() }),
  free: some('free', { server }),
  stepClock: some('stepClock', { server, millis: fc.integer() }),
  reformat: some('reformat', { server }),
  change: some('change', { server, changes: fc.array(fc.record({ op: fc.constant('remove'), id: server })) }),
  transfer: some('transfer', { server, target: server }),
};

/** A seed whose adversary does what the made-up invariant forbids, among many other things. */
function firstBroken(): number {
  for (let seed = 0; seed < 100; seed++) {
    const { violation, actions, virtualMicros } = runSeed(seed, { servers: 3, faultSeconds: 10 }, twoCrashes);
    // Early enough that the run can be cut short.
    if (violation !== null && actions.length > 12 && virtualMicros < 5_000_000) return seed;
  }
  throw new Error('no seed breaks it');
}
