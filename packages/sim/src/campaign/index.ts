export { type Failure, reportSeed, type SeedReport, Totals } from './report.ts';
export { type Plan, runPlan, runSeed, type SeedResult, type WatcherFactory } from './run-seed.ts';
export { type Shrunk, shrinkPlan } from './shrink.ts';
export { runTwice } from './twice.ts';
export { standardWatchers } from './standard-watchers.ts';
