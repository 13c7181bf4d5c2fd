/** Searches from a moment for a schedule that leads to something: random walks, each found way shortening the next. */
import {
  type CoreAction,
  type CoreWorld,
  type Goal,
  RandomWalk,
  type SearchResult,
  twoLeaders,
  leads,
} from '@quorate/sim';
import { type Allowances, startFrom } from './from-here.ts';
import type { Host } from './host.ts';
import { describePredicate, holds, type Predicate } from './predicates.ts';

/** Steps of one way. */
const maxDepth = 60;
const walks = 20_000;
/** Once something is found, so many steps are spent on finding it sooner. */
const stepsToShorten = 60_000;
/** Between two breaths. */
const stepsAtOnce = 2_000;
/** Steps that are tried before a search that has found nothing ends. */
const maxTried = 1_500_000;

/** What may happen from here on, besides messages, disks and timers: a search that may do everything finds nothing. */
const allowances: Allowances = {
  terms: 4,
  elections: 4,
  stickiness: 6,
  heartbeats: 4,
  requests: 2,
  crashes: 1,
  drops: 2,
};

export interface FoundWay {
  /** Null: none was found. */
  readonly actions: readonly CoreAction[] | null;
  readonly text: string;
}

/** `from` is left as it is. */
export async function searchFrom(from: CoreWorld, predicate: Predicate, host: Host): Promise<FoundWay> {
  const search = new RandomWalk(startFrom(from, allowances), {
    goal: goalOf(predicate),
    maxDepth,
    walks,
    repeatEvery: 0,
  });
  let sinceFound = 0;
  for (let tried = 0; tried < maxTried && sinceFound < stepsToShorten && !host.isCancelled(); tried += stepsAtOnce) {
    if (search.advance(stepsAtOnce)) break;
    const isFound = search.result().actions !== null;
    if (isFound) sinceFound += stepsAtOnce;
    host.progress(`${search.progress.states} states${isFound ? ', found, looking for a shorter way' : ''}`);
    await host.breathe();
  }
  return foundIn(search.result(), predicate);
}

/** Null: any violation. */
export function goalOf(predicate: Predicate): Goal | null {
  if (predicate.kind === 'violation') return null;
  const name = describePredicate(predicate);
  if (predicate.kind === 'leader') return { name, parts: [leads(predicate.server)] };
  if (predicate.kind === 'twoLeaders') return { name, parts: [twoLeaders()] };
  return { name, parts: [{ name, distance: (world) => (holds(predicate, world) === null ? 1 : 0) }] };
}

function foundIn({ actions, states }: SearchResult, predicate: Predicate): FoundWay {
  const text =
    actions === null
      ? `No way was found in ${states} states: ${describePredicate(predicate)}`
      : `A way of ${actions.length} steps, found among ${states} states: ${describePredicate(predicate)}`;
  return { actions, text };
}
