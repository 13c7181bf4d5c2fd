export { type DoorOptions, runDoorTest } from './door/run-door.ts';
export { doorSuite, type DoorTest } from './door/scenarios.ts';
export * from './interface.ts';
export type { HandlerContext, HandlerModule } from './handlers.ts';
export { NotPlainError } from './plain-data.ts';
export { ScenarioFailure } from './cluster/failure.ts';
export { quorateRaft } from './ours/quorate-raft.ts';
export { detailLine, passedLine, titleLine, totalLines } from './report/classic.ts';
export { compareLines } from './report/compare.ts';
export { failureLines } from './report/failure.ts';
export { type Grade, gradeOf, weights } from './report/grade.ts';

export { type RunOptions, runTest, type TestReport } from './run-test.ts';
export { findModule, UnfitModuleError } from './sandbox/load-module.ts';
export type { Job, Outcome, Subject } from './session/protocol.ts';
export { runJobs, type SessionOptions, type Usage } from './session/session.ts';
export { type LabTest, type Part, parts, suite } from './suite/index.ts';
export { SkeletonError, type Style, styles, writeSkeleton } from './skeleton.ts';
