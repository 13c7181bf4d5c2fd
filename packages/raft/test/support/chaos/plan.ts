/** What a random run consists of: a cluster and a list of things that happen to it. fast-check draws and shrinks them. */
import * as fc from 'fast-check';
import type { RaftDefaults } from '../../../src/index.ts';
import { memberNames, type Shape } from '../configurations.ts';

export const actionKinds = [
  'deliver',
  'deliverOldest',
  'drop',
  'duplicate',
  'fire',
  'staleTimeout',
  'persist',
  'apply',
  'load',
  'damage',
  'propose',
  'read',
  'change',
  'transfer',
  'compact',
  'reportSnapshot',
  'crash',
  'restart',
  'wipe',
  'isolate',
  'cut',
  'heal',
  'unreachable',
  'gone',
  'sleep',
  'stall',
  'gather',
  'flush',
] as const;
export type ActionKind = (typeof actionKinds)[number];

/** `a` and `b` choose among whatever is there when the action's turn comes. */
export interface Action {
  readonly kind: ActionKind;
  readonly a: number;
  readonly b: number;
}

export interface Plan {
  readonly shape: Shape;
  readonly options: Partial<RaftDefaults>;
  /** Entries that a start finds in memory. */
  readonly tailLength: number;
  readonly durableMachines: boolean;
  /** Whether the membership changes. Records rot only where it does not: how many copies may be lost is counted in one configuration. */
  readonly changes: boolean;
  /** Whether servers run different releases, and later ones as they restart. */
  readonly upgrades: boolean;
  /** Whether a start can tell the kind of a damaged entry. */
  readonly knowsFaultyKinds: boolean;
  readonly automatic: { readonly disk: boolean; readonly apply: boolean; readonly load: boolean };
  /** For the timers of the healed cluster. */
  readonly seed: number;
  readonly actions: readonly Action[];
}

const weights: Readonly<Record<ActionKind, number>> = {
  deliver: 60,
  deliverOldest: 160,
  drop: 5,
  duplicate: 6,
  fire: 12,
  staleTimeout: 1,
  persist: 50,
  apply: 25,
  load: 20,
  damage: 6,
  propose: 16,
  read: 10,
  change: 5,
  transfer: 2,
  compact: 5,
  reportSnapshot: 4,
  crash: 2,
  restart: 6,
  wipe: 1,
  isolate: 2,
  cut: 1,
  heal: 4,
  unreachable: 1,
  gone: 1,
  sleep: 1,
  stall: 2,
  gather: 3,
  flush: 9,
};

const rarely = fc.oneof({ arbitrary: fc.constant(false), weight: 3 }, { arbitrary: fc.constant(true), weight: 1 });

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.oneof(...actionKinds.map((kind) => ({ arbitrary: fc.constant(kind), weight: weights[kind] }))),
  a: fc.nat(1 << 16),
  b: fc.nat(1 << 16),
});

/** One to five voters, learners, joint configurations, members that no leader has bound yet. */
const shape: fc.Arbitrary<Shape> = fc
  .record({
    voters: fc.integer({ min: 1, max: 5 }),
    learners: fc.nat(1),
    joint: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.integer({ min: 1, max: 4 }), weight: 1 }),
    unbound: fc.boolean(),
  })
  .map(({ voters, learners, joint, unbound }): Shape => {
    const incoming = memberNames(voters);
    // The halves overlap in one server, or in none.
    const outgoing = joint === 0 ? [] : memberNames(joint, Math.max(1, voters + (joint % 2)));
    const first = voters + 6;
    return {
      voters: incoming,
      outgoing,
      learners: memberNames(learners, first),
      unbound: unbound ? [...incoming, ...outgoing, ...memberNames(learners, first)] : [],
    };
  });

const options: fc.Arbitrary<Partial<RaftDefaults>> = fc.record({
  stableLeadership: fc.oneof({ arbitrary: fc.constant(true), weight: 3 }, { arbitrary: fc.constant(false), weight: 1 }),
  maxAppendBytes: fc.constantFrom(1, 12, 1 << 20),
  maxInflightMessages: fc.constantFrom(1, 2, 256),
  maxInflightBytes: fc.constantFrom(1, 24, 1 << 20),
  maxUncommittedBytes: fc.constantFrom(30, 1 << 20),
  maxLogCacheBytes: fc.constantFrom(0, 20, 1 << 20),
  maxPendingReads: fc.constantFrom(2, 1000),
  maxElectionBackoff: fc.constantFrom(1, 3, 8),
  priority: fc.constantFrom(1, 1, 4),
});

export function plans(maxActions: number): fc.Arbitrary<Plan> {
  return fc
    .record({
      shape,
      options,
      tailLength: fc.constantFrom(0, 2, 1000),
      durableMachines: fc.boolean(),
      changes: fc.boolean(),
      knowsFaultyKinds: fc.boolean(),
      automatic: fc.record({ disk: fc.boolean(), apply: fc.boolean(), load: rarely }),
      seed: fc.nat(),
      // Without bias: short plans prove little, and shrinking makes short ones of those that fail.
      actions: fc.noBias(fc.array(action, { minLength: 1, maxLength: maxActions, size: 'max' })),
    })
    .map((plan) => {
      const leaseReads = plan.options.stableLeadership === true && plan.seed % 4 === 0;
      // Of a number that is drawn anyway: one more draw would make every plan another.
      const upgrades = plan.seed % 3 === 1;
      return { ...plan, upgrades, options: { ...plan.options, leaseReads, applyDurableOnly: plan.durableMachines } };
    });
}
