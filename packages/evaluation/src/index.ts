export { EvaluationError } from './errors.ts';
export type { Experiment } from './experiment.ts';
export { experiments } from './experiments/index.ts';
export type { PortRange } from './harness/port-range.ts';
export { hostNames } from './places/host-name.ts';
export type { HostsOptions } from './places/hosts.ts';
export { evaluate, type EvaluationEnd } from './run/evaluate.ts';
export { duration, type Screen } from './run/progress.ts';
export { writeReport } from './report/write-report.ts';
