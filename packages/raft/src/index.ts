export * from './input.ts';
export * from './message.ts';
export * from './options.ts';
export * from './output.ts';
export { Raft } from './raft.ts';
export type { FollowerStatus, RaftStatus } from './raft.ts';
export * from './recovered.ts';
export * from './types.ts';
export { decodeConfiguration, encodeConfiguration, initialConfiguration } from './configuration.ts';
