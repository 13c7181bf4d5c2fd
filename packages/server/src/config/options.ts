import type { DebugTopic, LogLevel } from '@quorate/runtime';
import type { CoreTuning } from './tuning.ts';

export type LogFormat = 'auto' | 'text' | 'json';

/** Peer addresses of a founding server. */
export interface InitialMember {
  readonly name: string;
  readonly peerURLs: readonly string[];
}

/** A server's settings, checked, in etcd's terms. Milliseconds and bytes. */
export interface ServerOptions {
  readonly name: string;
  readonly dataDir: string;
  readonly listenPeerUrls: readonly string[];
  readonly listenClientUrls: readonly string[];
  readonly initialAdvertisePeerUrls: readonly string[];
  readonly advertiseClientUrls: readonly string[];
  /** Every founding server once, this one included. */
  readonly initialCluster: readonly InitialMember[];
  readonly initialClusterToken: string;
  readonly initialClusterState: 'new' | 'existing';
  /** `host:port` of clients' doors of running members, to be let in there; empty for none. */
  readonly join: readonly string[];
  readonly heartbeatInterval: number;
  readonly electionTimeout: number;
  /** 0: never stands for election by itself. */
  readonly priority: number;
  readonly preVote: boolean;
  readonly leaseReads: boolean;
  /** Parts in a million. */
  readonly maxClockDrift: number;
  /** Options of the core that stand over what the settings above make of them. In the core's units. */
  readonly tune: CoreTuning;
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
  readonly maxConcurrentStreams: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly debug: readonly DebugTopic[];
  readonly enableFaultInjection: boolean;
  readonly flightRecorder: boolean;
  readonly flightRecorderBytes: number;
  readonly redactValues: boolean;
}
