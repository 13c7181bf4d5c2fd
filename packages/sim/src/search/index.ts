export { type Bug, bugNamed, bugs } from './bugs.ts';
export { BreadthFirst } from './breadth-first.ts';
export { DepthFirst } from './depth-first.ts';
export { type Explanation, explain } from './explain.ts';
export * from './predicates.ts';
export { RandomWalk } from './random-walk.ts';
export { type CoreRun, coreRunTrace, isCoreRun, readCoreRun } from './search-trace.ts';
export {
  boundsOf,
  type NearMiss,
  type Progress,
  type SearchEnd,
  type Searching,
  type SearchOptions,
  type SearchResult,
  untouched,
} from './search.ts';
export { type Stage, StagedSearch, type StageResult } from './stages.ts';
