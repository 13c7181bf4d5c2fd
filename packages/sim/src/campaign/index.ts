export { type Failure, reportSeed, type SeedReport, Totals } from './report.ts';
export { runSeed, type SeedResult, type WatcherFactory } from './run-seed.ts';
export { runTwice } from './twice.ts';
export { standardWatchers } from './standard-watchers.ts';
