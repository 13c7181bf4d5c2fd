export { type Bug, bugNamed, bugs } from './bugs.ts';
export { BreadthFirst } from './breadth-first.ts';
export { DepthFirst } from './depth-first.ts';
export { type Explanation, explain } from './explain.ts';
export * from './predicates.ts';
export { RandomWalk } from './random-walk.ts';
export { type CoreRun, coreRunTrace, isCoreRun, readCoreRun } from './search-trace.ts';
export { boundsOf, untouched } from './core-budgets.ts';
export {
  type NearMiss,
  type Progress,
  type SearchEnd,
  type Searching,
  type SearchOptions,
  type SearchResult,
} from './search.ts';
export type { Restage, SearchWorld, StagedWorld } from './search-world.ts';
export { type Stage, StagedSearch, type StageResult } from './stages.ts';
