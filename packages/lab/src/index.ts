export * from './interface.ts';
export { ScenarioFailure } from './cluster/failure.ts';
export type { Cluster } from './cluster/cluster.ts';
export type { Journal, JournalEvent } from './cluster/journal.ts';
export { quorateRaft } from './ours/quorate-raft.ts';
export { type RunOptions, runTest, type TestReport } from './run-test.ts';
export { type LabTest, type Part, parts, suite } from './suite/index.ts';
