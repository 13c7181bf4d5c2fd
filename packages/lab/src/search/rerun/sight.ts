/** What a moment of a run is like, seen from its stage. */
import type { Broken } from '@quorate/sim';
import type { SearchStage } from '../../suite/search-test.ts';
import type { LabView } from '../view.ts';

export interface Sight {
  readonly broken: Broken | null;
  /** The parts of the goal that do not hold; empty where there is none. */
  readonly misses: readonly { readonly part: string; readonly distance: number }[];
  readonly distance: number;
}

export function lookAt(world: LabView & { readonly broken: Broken | null }, stage: SearchStage | null): Sight {
  const misses = (stage?.goal?.parts ?? [])
    .map(({ name, distance }) => ({ part: name, distance: distance(world) }))
    .filter(({ distance }) => distance > 0);
  const distance = misses.reduce((total, each) => total + each.distance, 0);
  return { broken: world.broken ?? brokenRule(world, stage), misses, distance };
}

function brokenRule(world: LabView, stage: SearchStage | null): Broken | null {
  for (const { name, broken } of stage?.invariants ?? []) {
    const how = broken(world);
    if (how !== null) return { invariant: name, first: how, second: '' };
  }
  return null;
}
