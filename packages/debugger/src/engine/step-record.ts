/** One step of a branch, as it is remembered: small plain data from which diagrams are drawn without a world. */
import type { MemberId, Role } from '@quorate/raft';

export interface StepRecord {
  /** Its number in the branch, from 1: the state behind it is that of position `step`. */
  readonly step: number;
  /** Virtual microseconds. */
  readonly at: number;
  readonly kind: string;
  /** Where it happened; null for what concerns links only. */
  readonly server: MemberId | null;
  readonly title: string;
  /** Rhythm rather than news: heartbeats, their answers, timers that only keep time. Diagrams fold these. */
  readonly isRoutine: boolean;
  /** The message that arrived here, or was lost; null for none. */
  readonly message: SeenMessage | null;
  readonly isLost: boolean;
  readonly sent: readonly SeenMessage[];
  /** The steps that led to it directly: what happened before on this server, and where the message was sent. */
  readonly causes: readonly number[];
  readonly changes: StepChanges;
  /** Entries that came into this server's log, as runs of one term. */
  readonly appended: readonly EntryRun[];
  /** Up to where the sender of the message that arrived has the log durably; null if it says nothing of that. */
  readonly acknowledged: number | null;
}

export interface EntryRun {
  readonly from: number;
  readonly to: number;
  readonly term: number;
}

export interface SeenMessage {
  readonly id: number;
  readonly from: MemberId;
  readonly to: MemberId;
  /** A kind of the core's messages, or what a Raft of the lab calls it. */
  readonly kind: string;
  readonly term: number;
  readonly summary: string;
}

/** What it made of its server: null where nothing changed. */
export interface StepChanges {
  readonly role: Role | null;
  readonly term: number | null;
  readonly vote: MemberId | null;
  readonly last: number | null;
  readonly truncatedTo: number | null;
  readonly durable: number | null;
  readonly commit: number | null;
  readonly applied: number | null;
}
