/**
 * The trace: one versioned envelope with four kinds of record (docs/trace.md). Campaigns and searches write decisions only, since all
 * else follows from them; recordings of real servers hold checkpoints and inputs; of Rafts in the lab it holds what was seen from outside.
 */
import type { Input, MemberId, RaftOptions, RaftState } from '@quorate/raft';
import type { ClockAnchor, Plain } from '@quorate/runtime';
import type { SeenRecord } from './seen.ts';

export const traceFormat = 'quorate-trace';
export const traceVersion = 1;

export interface TraceHeader {
  readonly format: typeof traceFormat;
  readonly version: typeof traceVersion;
  /** The build that made it: decisions and states are those of one build. */
  readonly codeVersion: string;
  readonly createdBy: string;
  /** What the world was like, or whose recordings these are. */
  readonly configuration: { readonly [name: string]: Plain };
}

/** The header of a trace that this build makes. */
export function traceHeader(
  configuration: TraceHeader['configuration'],
  codeVersion: string,
  createdBy: string,
): TraceHeader {
  return { format: traceFormat, version: traceVersion, codeVersion, createdBy, configuration };
}

export type TraceRecord = CheckpointRecord | DecisionRecord | InputRecord | SeenRecord;

/** The state of one server's core at a moment, right after an output was taken. */
export interface CheckpointRecord extends Said {
  readonly kind: 'checkpoint';
  readonly server: MemberId;
  /** One start of the server; its inputs count from its beginning. */
  readonly life: string;
  /** Inputs of this life before. */
  readonly number: number;
  readonly codeVersion: string;
  readonly anchor: ClockAnchor;
  readonly options: RaftOptions;
  readonly state: RaftState;
}

/** What a world's adversary decided. Everything else that happens in the world follows from these and the configuration. */
export interface DecisionRecord {
  readonly kind: 'decision';
  /** Virtual microseconds. */
  readonly at: number;
  /** The world's steps before it: its place among what happens in the same microsecond. */
  readonly step: number;
  readonly action: { readonly kind: string; readonly [field: string]: Plain };
}

/** An input of one server's core, and what the server said until the next one. */
export interface InputRecord extends Said {
  readonly kind: 'input';
  readonly server: MemberId;
  readonly life: string;
  /** The how many-th input of this life, from 1. */
  readonly number: number;
  readonly input: Input;
}

export interface Said {
  /** Fingerprints of the outputs that were taken. */
  readonly outputs: readonly number[];
  /** Messages that left: their receivers and fingerprints, the same as where they arrive. */
  readonly sent: readonly { readonly to: MemberId; readonly fingerprint: number }[];
}

/** What is wrong with a trace, and what to do. `line` counts from 1; 0 where it is no matter of one line. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly code: 'NotATrace' | 'UnsupportedVersion' | 'Truncated' | 'Malformed' | 'NotReplayable';
  readonly line: number;

  constructor(code: TraceError['code'], message: string, line = 0, options?: ErrorOptions) {
    super(line === 0 ? message : `Line ${line}: ${message}`, options);
    this.code = code;
    this.line = line;
  }
}
