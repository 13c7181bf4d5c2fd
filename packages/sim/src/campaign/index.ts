export { runSeed, type SeedResult, type WatcherFactory } from './run-seed.ts';
