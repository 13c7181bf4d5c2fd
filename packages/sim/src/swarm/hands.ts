import type { DamageBudget } from '../disk/index.ts';
import type { RandomStream } from '../random.ts';
import type { ActionKind } from '../world/action.ts';
import type { CutKind } from '../world/network.ts';
import type { World } from '../world/world.ts';

/** What an adversary does its deeds with. */
export interface Hands {
  readonly world: World;
  readonly stream: RandomStream;
  readonly budget: DamageBudget;
  /** Does it and writes it down; false if there was nothing to do. */
  do(action: ActionKind): boolean;
  /** Unless the adversary has stopped by then. */
  later(micros: number, work: () => void): void;
  /** Mostly short, now and then `most` seconds. Microseconds. */
  duration(most: number): number;
  /** Nothing passes between the group and the others. */
  cutOff(group: readonly string[], how: CutKind): void;
}
