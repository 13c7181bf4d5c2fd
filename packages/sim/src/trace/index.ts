export { decodeTrace, type DecodedTrace, encodeTrace } from './json.ts';
export { type FlightBytes, readFlights } from './flight-files.ts';
export { latestRecords } from './latest.ts';
export { mergeRecordings } from './merge.ts';
export { type Ending, endingOf, endsAlike, type PlanTrace, planTrace, readPlan } from './plan.ts';
export { type ServerRecord, type ServerRecording, serverRecording } from './recording.ts';
export { type Parting, replay, type ReplayResult, type ServerReplay } from './replay.ts';
export { readSeenRun, type SeenEvent, type SeenFinding, type SeenRecord, type SeenRun, seenTrace } from './seen.ts';
export * from './trace.ts';
