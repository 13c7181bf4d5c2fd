export { BreadthFirst } from './breadth-first.ts';
export { type Explanation, explain } from './explain.ts';
export {
  applied,
  committed,
  goal,
  type Goal,
  type GoalPart,
  inTerm,
  type Invariant,
  leaders,
  leads,
  type Miss,
  type Prune,
} from './predicates.ts';
export {
  boundsOf,
  type NearMiss,
  type Progress,
  type SearchEnd,
  type Searching,
  type SearchOptions,
  type SearchResult,
} from './search.ts';
