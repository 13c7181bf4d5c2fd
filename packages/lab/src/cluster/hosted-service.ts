/** A service of a scenario's own on each server, above whatever Raft is tested. */
import type { ApplyMessage, PlainData, RaftServer } from '../interface.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { LabPersister } from './lab-persister.ts';

/** What one life of a service finds around it. */
export interface ServiceHost {
  readonly server: number;
  readonly raft: RaftServer;
  readonly persister: LabPersister;
  readonly scheduler: Scheduler;
}

export interface HostedService {
  /** See RaftServer. */
  readonly isSynchronous?: boolean;
  readonly isSharing?: boolean;
  apply(message: ApplyMessage): void;
  /** A call of a client; false if the service has no such method, and the call is for Raft. */
  handle(method: string, args: PlainData, answer: (reply: PlainData) => void): boolean;
  kill(): void;
}

/** A student's own key-value service, given the bytes of saved state at which a snapshot is due; -1: none may be taken. */
export type MakeOwnService = (host: ServiceHost, maxRaftState: number) => HostedService;

export type MakeService = (host: ServiceHost) => HostedService;
