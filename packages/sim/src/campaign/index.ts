export { type HistoryCheck, runSeed, type SeedChecks, type SeedResult, type WatcherFactory } from './run-seed.ts';
