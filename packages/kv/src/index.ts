export { Bag, type Bagged } from './bag.ts';
export { type ConsensusNode, NodeConsensus } from './binding/node-consensus.ts';
export { ReplicatedStore } from './binding/replicated-store.ts';
export { type HostEnvironment, serviceEnvironment } from './binding/service-environment.ts';
export * from './consensus.ts';
export { etcdErrors, type EtcdErrorName, StateMachineError } from './errors.ts';
export { CommandKind, EnvelopeReader, type Origin } from './machine/envelope.ts';
export type { OperationResult } from './machine/operations.ts';
export type { StoreStatistics } from './mvcc/store.ts';
export * from './rpc.ts';
export { KvService, type KvServiceSettings } from './service/kv-service.ts';
export { defaultKvServiceOptions, type KvServiceDefaults, type KvServiceOptions } from './service/options.ts';
export {
  type CommandResult,
  continueApply,
  defaultStateMachineOptions,
  type KvSnapshotSink,
  KvStateMachine,
  type StateMachineOptions,
} from './state-machine.ts';
