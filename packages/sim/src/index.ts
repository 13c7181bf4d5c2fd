export * from './campaign/index.ts';
export * from './disk/index.ts';
export * from './history.ts';
export * from './random.ts';
export * from './trace/index.ts';
export * from './watch.ts';
export type { NemesisWeights, RunLimits, RunOptions } from './swarm/options.ts';
export type { Action, ActionKind } from './world/action.ts';
export type { LogLine } from './world/world.ts';
