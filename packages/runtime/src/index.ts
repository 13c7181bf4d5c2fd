export type { Plain } from './codec/plain.ts';
export type { CoreLife, CoreWatcher } from './core-watcher.ts';
export * from './environment.ts';
export { RaftError, type RaftErrorCode } from './errors.ts';
export {
  defaultNodeLimits,
  type FoundingMember,
  type NodeLimits,
  type RaftNodeOptions,
} from './node-options.ts';
export * from './observer.ts';
export { FLIGHT_DIRECTORY, flightSequence } from './flight/format.ts';
export type { ClockAnchor, FlightHeader } from './flight/format.ts';
export {
  type CompleteCheckpoint,
  type FlightFile,
  FlightFormatError,
  type FlightRecord,
  readFlightFile,
} from './flight/reader.ts';
export { FlightRecorder, type FlightRecorderOptions, minFlightBytes } from './flight/recorder.ts';
export { fingerprintMessage, fingerprintOutput } from './flight/fingerprint.ts';
export { foundFromRemains, readRemains, type Remains } from './new-cluster.ts';
export { openStorage } from './open-storage.ts';
export { readIdentity } from './read-identity.ts';
export { type ChangeOutcome, changeRefusalMessage, type TransferOutcome } from './membership-outcome.ts';
export type { ProposalOutcome, ProposalRefusal, ReadOutcome, ReadRefusal } from './outcome.ts';
export {
  type AbortSignalLike,
  type CallOptions,
  type ChangeOptions,
  type NodeEvents,
  RaftNode,
  type RaftNodeStatus,
} from './raft-node.ts';
export type { AnswerCodec, SessionAnswer, SessionId, SessionRefusal } from './sessions/answer.ts';
export { withoutSession } from './sessions/envelope.ts';
export type { DurableSessionMachine } from './sessions/inner.ts';
export { defaultSessionLimits, maxSessionWindow, type SessionLimits } from './sessions/limits.ts';
export { type SessionMachine, type SessionMachineOptions, withSessions } from './sessions/machine.ts';
export type { SessionRecord, SessionWrite } from './sessions/records.ts';
export { openSession, type Session, type SessionCallOptions } from './sessions/session.ts';
export {
  defaultSessionOptions,
  type OpenSessionOptions,
  type SessionEnvironment,
  type SessionOptions,
  type SessionServer,
} from './sessions/session-options.ts';
export * from './state-machine.ts';
export * from './storage.ts';
export { defaultStorageOptions, type StorageOptions } from './storage-options.ts';
export { senderOfHello } from './transport/handshake.ts';
export type { PeerStatus } from './transport/peer.ts';
export { defaultTransportLimits, type TransportLimits } from './transport/protocol.ts';
export { segmentOfName } from './wal/format.ts';
export { dumpWal, type WalDumpSummary } from './wal/dump.ts';
export { type EntryPlace, findEntry } from './wal/find-entry.ts';
export { type PeekedPlace, peekSegment } from './wal/peek.ts';
export { planWalRepair, repairWalDropTail, type WalRepairPlan } from './wal/repair.ts';
