/**
 * What a world tells those who watch it: invariants, coverage, traces. Watchers see everything and change nothing. A world calls
 * them in the order in which things happen; what a call hands over is read during the call, never kept where it may change.
 */
import type { CoreLife } from '@quorate/runtime';
import type { Input, MemberId, Message, Output } from '@quorate/raft';
import type { DiskFaultKind } from './disk/index.ts';
import type { ActionKind } from './world/action.ts';

export interface WorldWatcher {
  /** A server's storage was recovered and its core begins. The first life founds the server, later ones restart it. */
  onStart(server: MemberId, life: CoreLife): void;
  /** Right after the core handled `input`. */
  onInput(server: MemberId, input: Input): void;
  /** Right after `output` was taken from the core. */
  onOutput(server: MemberId, output: Output): void;
  /** A message leaves: whatever it had to wait for is durable. Whether it arrives is another matter. */
  onSend(server: MemberId, message: Message): void;
  /** The state machine applied an entry. `digest` is the machine's state afterwards, as an unsigned 32-bit number. */
  onApply(server: MemberId, entry: AppliedEntry): void;
  /** The state machine was replaced by a snapshot's state at `index`. */
  onRestore(server: MemberId, index: number, digest: number): void;
  /** The process is gone, with all that was not durable. */
  onCrash(server: MemberId): void;
  /** The server stopped by itself and says why; it stays down until it is started again. */
  onFatal(server: MemberId, code: string, message: string): void;
  /** A peer told the server that its life has left the cluster for good. */
  onRemoved?(server: MemberId): void;
  /** The fault model destroyed something durable on the server's disk (within the budget, or beyond it). */
  onDamage(server: MemberId, damage: Damage): void;
  /** An operation of the server's disk went wrong, or a crash lost some: for those who count, and for those who care how it goes on. */
  onDiskFault?(server: MemberId, kind: DiskFaultKind, path: string): void;
  /** The adversary is about to do this. */
  onAction?(action: ActionKind): void;
  /** The adversary has done its last: links are mended, disks are well, who stood still goes on. */
  onFaultsEnd?(): void;
  /** The world has come to rest: faults have ended, servers agree, and nobody is owed an answer. */
  onRest?(): void;
  /** What it counted, by name: asked for at the end of a run. */
  readonly counts?: ReadonlyMap<string, number>;
}

export interface AppliedEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array;
  readonly digest: number;
}

/** What was destroyed. */
export interface Damage {
  readonly kind: 'bitRot' | 'misdirectedWrite' | 'lostWrite' | 'diskLost';
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Sees nothing: what a watcher of a few things begins with. */
export const blindWatcher: WorldWatcher = {
  onStart: () => undefined,
  onInput: () => undefined,
  onOutput: () => undefined,
  onSend: () => undefined,
  onApply: () => undefined,
  onRestore: () => undefined,
  onCrash: () => undefined,
  onFatal: () => undefined,
  onDamage: () => undefined,
};

/** An invariant that does not hold: its id in the list (docs/invariants.md) and the two facts that contradict each other. */
export class Violation extends Error {
  readonly invariant: string;
  /** What was promised, or found, first. */
  readonly first: string;
  /** What contradicts it. */
  readonly second: string;

  constructor(invariant: string, first: string, second: string) {
    super(`${invariant}: ${first}; but ${second}`);
    this.name = 'Violation';
    this.invariant = invariant;
    this.first = first;
    this.second = second;
  }
}
