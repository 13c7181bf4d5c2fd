/**
 * A search in stages: to a goal, and from the state that reached it on under other rules to the next. A deep state is so reached in a few
 * shallow searches, and what it is made of stands in the stages.
 */
import type { CoreAction } from '../core-world/action.ts';
import type { Budgets } from '../core-world/options.ts';
import type { CoreWorld } from '../core-world/world.ts';
import { BreadthFirst } from './breadth-first.ts';
import type { Goal, Invariant, Prune } from './predicates.ts';
import type { Progress, Searching, SearchOptions, SearchResult } from './search.ts';
import type { Restage, StagedWorld } from './search-world.ts';

export interface Stage<World = CoreWorld, Action = CoreAction, Allowance = Budgets> {
  readonly name: string;
  /** Where the stage ends, and the next begins; null to look at all that can come of where it begins: there the next one begins as well. */
  readonly goal: Goal<World> | null;
  /** Budgets that hold from the beginning of the stage on; what was spent before stays spent. */
  readonly budgets?: Partial<Allowance>;
  /** Messages in flight are lost when the stage begins. Default: false. */
  readonly forget?: boolean;
  /** What is done first: links that are cut or mended, servers that crash. */
  readonly begin?: readonly Action[];
  readonly prunes?: readonly Prune<World>[];
  /** Must hold in this stage, besides those of the whole search. */
  readonly invariants?: readonly Invariant<World>[];
  readonly maxStates?: number;
  readonly maxDepth?: number | null;
}

export interface StageResult<Action = CoreAction> {
  readonly stage: string;
  readonly result: SearchResult<Action>;
}

/** Breadth first, stage after stage. A stage that misses its goal ends the search. */
export class StagedSearch<World extends StagedWorld<World, Action, Allowance>, Action, Allowance>
  implements Searching<Action | Restage<Allowance>>
{
  readonly #stages: readonly Stage<World, Action, Allowance>[];
  readonly #options: SearchOptions<World>;
  readonly #done: StageResult<Action>[] = [];
  #way: (Action | Restage<Allowance>)[] = [];
  #world: World;
  #at = 0;
  #search: BreadthFirst<World, Action>;
  #isOver = false;

  /** Throws RangeError for options that cannot be, and where there is no stage. */
  constructor(
    start: World & StagedWorld<World, Action, Allowance>,
    stages: readonly Stage<World, Action, Allowance>[],
    options: SearchOptions<World> = {},
  ) {
    if (stages.length === 0) throw new RangeError('A staged search needs at least one stage.');
    this.#stages = stages;
    this.#options = options;
    this.#world = start.clone();
    this.#search = this.#begin();
  }

  /** The stage under way, or the last one. */
  get stage(): Stage<World, Action, Allowance> {
    return this.#stages[Math.min(this.#at, this.#stages.length - 1)] as Stage<World, Action, Allowance>;
  }

  /** What came of every stage that is over. */
  get stages(): readonly StageResult<Action>[] {
    return this.#done;
  }

  get progress(): Progress {
    return this.#search.progress;
  }

  #begin(): BreadthFirst<World, Action> {
    const { name: stage, budgets = {}, forget = false, begin = [], goal, maxDepth = null } = this.stage;
    for (const action of [{ kind: 'restage', stage, budgets, forget } as const, ...begin]) {
      this.#world.carryOut(action);
      this.#way.push(action);
    }
    const { prunes = [], invariants = [] } = this.#options;
    const mostStates = this.stage.maxStates ?? this.#options.maxStates;
    return new BreadthFirst<World, Action>(this.#world, {
      ...this.#options,
      goal,
      prunes: [...prunes, ...(this.stage.prunes ?? [])],
      invariants: [...invariants, ...(this.stage.invariants ?? [])],
      maxDepth,
      ...(mostStates === undefined ? {} : { maxStates: mostStates }),
    });
  }

  advance(steps: number): boolean {
    if (!this.#isOver && this.#search.advance(steps)) this.#endStage();
    return this.#isOver;
  }

  #endStage(): void {
    const result = this.#search.result();
    this.#done.push({ stage: this.stage.name, result });
    const isLast = this.#at === this.#stages.length - 1;
    const isMissed = this.stage.goal !== null && result.end !== 'goal';
    if (result.end === 'violation' || isMissed || isLast) {
      this.#isOver = true;
      return;
    }
    for (const action of result.actions ?? []) {
      this.#world.perform(action);
      this.#way.push(action);
    }
    this.#at += 1;
    this.#search = this.#begin();
  }

  /** Of the last stage; its ways begin where the first stage did. */
  result(): SearchResult<Action | Restage<Allowance>> {
    const result = this.#search.result();
    const whole = (actions: readonly Action[]): (Action | Restage<Allowance>)[] => [...this.#way, ...actions];
    return {
      ...result,
      actions: result.actions === null ? null : whole(result.actions),
      nearest: result.nearest.map((near) => ({ ...near, actions: whole(near.actions) })),
    };
  }
}
