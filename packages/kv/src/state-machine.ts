/**
 * The replicated key-value store: deterministic, synchronous, without a clock. Its shape is that of a state machine of the
 * runtime, which it does not know; who hosts it translates `continueApply`.
 */
import { CompactionRequest, DeleteRangeRequest, Member, ProtobufError, PutRequest, TxnRequest } from './api/index.ts';
import { ByteWriter } from './byte-stream.ts';
import { StateMachineError } from './errors.ts';
import { AppliedCommands } from './machine/applied-commands.ts';
import { CommandKind, type Envelope, EnvelopeReader, type Origin, sameOrigin } from './machine/envelope.ts';
import { PublishedMembers } from './machine/members.ts';
import { type OperationResult, Operations, type OperationsContext } from './machine/operations.ts';
import { emptyBody } from './machine/response.ts';
import { type Steps, WorkMeter } from './machine/steps.ts';
import { MvccStore } from './mvcc/store.ts';
import { corrupt, supportedClusterVersion } from './snapshot/format.ts';
import { SnapshotReader } from './snapshot/sink.ts';
import { KvSnapshotSource } from './snapshot/source.ts';

/** The answer of `apply` that asks to be called again with the same command. */
export const continueApply: unique symbol = Symbol('kv.continue');

/** What `apply` tells the proposer. */
export type CommandResult =
  | OperationResult
  /** This command was applied before; nothing was done. */
  | { readonly kind: 'duplicate' };

export interface StateMachineOptions {
  /** The server that this machine runs in; only for its own commands are responses put together. Null: for none. */
  readonly origin: Origin | null;
  /** Units of work (about one key visited each) after which `apply` asks to be continued. */
  readonly unitsPerSlice: number;
  /** Keys looked at after each command while compaction has something to free. */
  readonly reclaimedPerCommand: number;
  /** A response's largest size in bytes. */
  readonly maxResponseBytes: number;
}

export const defaultStateMachineOptions: Omit<StateMachineOptions, 'origin'> = {
  unitsPerSlice: 4096,
  reclaimedPerCommand: 64,
  maxResponseBytes: 512 * 1024 * 1024,
};

interface Running {
  readonly index: number;
  readonly envelope: Envelope;
  readonly steps: Steps<OperationResult>;
}

export class KvStateMachine {
  readonly kind = 'memory';
  readonly #options: StateMachineOptions;
  readonly #meter = new WorkMeter();
  readonly #envelopes = new EnvelopeReader();
  #context: OperationsContext;
  #applied = new AppliedCommands();
  #members = new PublishedMembers();
  #clusterVersion = supportedClusterVersion;
  #lastCommand = 0;
  #appliedIndex = 0;
  /** The command that `apply` is in the middle of. Its changes are not visible yet. */
  #running: Running | null = null;

  constructor(options: Partial<StateMachineOptions> = {}) {
    this.#options = { ...defaultStateMachineOptions, origin: null, ...options };
    this.#context = this.#contextOf(new MvccStore());
  }

  /** For reads. A restore puts another in its place; reads that have begun end on the old one. */
  get store(): MvccStore {
    return this.#context.store;
  }

  get members(): PublishedMembers {
    return this.#members;
  }

  /** The highest sequence of `origin` that was applied; 0 if none. */
  highestSequence(origin: Origin): number {
    return this.#applied.highest(origin);
  }

  appliedIndex(): number {
    return this.#appliedIndex;
  }

  /**
   * Applies a command, or a slice of one.
   *
   * @throws StateMachineError for a command that this version does not understand: the server must stop.
   */
  apply(command: { readonly index: number; readonly data: Uint8Array }): CommandResult | typeof continueApply {
    if (this.#running !== null) {
      if (this.#running.index === command.index) return this.#goOn(this.#running);
      throw new Error(`Command ${command.index} came while command ${this.#running.index} was half applied`);
    }
    const envelope = this.#envelopes.open(command.data);
    if (this.#applied.has(envelope.origin, envelope.sequence)) {
      this.#advance(command.index);
      return { kind: 'duplicate' };
    }
    try {
      return this.#begin(command.index, envelope);
    } catch (cause) {
      if (!(cause instanceof ProtobufError)) throw cause;
      throw new StateMachineError('CorruptCommand', `The command at index ${command.index} cannot be decoded.`, {
        cause,
      });
    }
  }

  /** Frees what compaction made unreachable; true if there is more. For idle moments: commands do it too, bit by bit. */
  reclaim(keys: number): boolean {
    return this.store.reclaim(keys);
  }

  #begin(index: number, envelope: Envelope): CommandResult | typeof continueApply {
    const { payload } = envelope;
    switch (envelope.kind) {
      case CommandKind.put:
        return this.#end(index, envelope, this.#operations(envelope).put(PutRequest.decode(payload)));
      case CommandKind.deleteRange:
        return this.#start(index, envelope, this.#operations(envelope).deleteRange(DeleteRangeRequest.decode(payload)));
      case CommandKind.txn:
        return this.#start(index, envelope, this.#operations(envelope).txn(TxnRequest.decode(payload)));
      case CommandKind.compact:
        return this.#end(index, envelope, this.#compact(CompactionRequest.decode(payload).revision));
      case CommandKind.publishMember:
        return this.#end(index, envelope, this.#publish(Member.decode(payload)));
    }
  }

  #operations({ origin }: Envelope): Operations {
    const own = this.#options.origin;
    return new Operations(this.#context, 'write', own !== null && sameOrigin(own, origin));
  }

  /** For every new store. */
  #contextOf(store: MvccStore): OperationsContext {
    return { store, meter: this.#meter, maxResponseBytes: this.#options.maxResponseBytes };
  }

  #start(index: number, envelope: Envelope, steps: Steps<OperationResult>): CommandResult | typeof continueApply {
    this.#running = { index, envelope, steps };
    return this.#goOn(this.#running);
  }

  #goOn({ index, envelope, steps }: Running): CommandResult | typeof continueApply {
    this.#meter.refill(this.#options.unitsPerSlice);
    const step = steps.next();
    if (step.done !== true) return continueApply;
    this.#running = null;
    return this.#end(index, envelope, step.value);
  }

  #end(index: number, envelope: Envelope, result: OperationResult): OperationResult {
    this.store.commit();
    this.#applied.add(envelope.origin, envelope.sequence, index);
    this.#advance(index);
    return result;
  }

  #advance(index: number): void {
    this.#lastCommand = index;
    this.#appliedIndex = index;
    if (this.store.hasReclaimable) this.store.reclaim(this.#options.reclaimedPerCommand);
  }

  #compact(revision: number): OperationResult {
    const refusal = this.store.compact(revision);
    if (refusal !== null) return { kind: 'failed', error: refusal };
    return { kind: 'done', revision: this.store.revision, body: emptyBody };
  }

  #publish(member: Member): OperationResult {
    if (!this.#members.publish(member)) return { kind: 'failed', error: 'tooManyRequests' };
    return { kind: 'done', revision: this.store.revision, body: emptyBody };
  }

  // --------------------------------------------------------------------------------------------------------- snapshots

  /** Pins the present state: the last whole command's. */
  openSnapshot(): KvSnapshotSource {
    const members = new ByteWriter(256);
    this.#members.write(members);
    const applied = new ByteWriter(1024);
    this.#applied.write(applied);
    return new KvSnapshotSource(this.store, {
      lastCommand: this.#lastCommand,
      revision: this.store.revision,
      compactRevision: this.store.compactRevision,
      clusterVersion: this.#clusterVersion,
      members: members.view(),
      appliedCommands: applied.view(),
    });
  }

  beginRestore(): KvSnapshotSink {
    const reader = new SnapshotReader();
    return {
      write: (slice) => {
        reader.write(slice);
      },
      finish: (index) => {
        this.#replace(reader, index);
      },
      // What came is held by the reader alone, and goes with it.
      abort: () => {},
    };
  }

  #replace(reader: SnapshotReader, index: number): void {
    const state = reader.finish();
    if (state.lastCommand > index) {
      throw corrupt(`commands up to ${state.lastCommand} though it was taken at ${index}`);
    }
    this.#running = null;
    this.#context = this.#contextOf(state.store);
    this.#applied = state.appliedCommands;
    this.#members = state.members;
    this.#clusterVersion = state.clusterVersion;
    this.#lastCommand = state.lastCommand;
    this.#appliedIndex = index;
  }
}

/** Takes a snapshot's slices in order; nothing changes until `finish`. */
export interface KvSnapshotSink {
  /** Throws a StateMachineError that says what is wrong with the slice. */
  write(slice: Uint8Array): void;
  /** Switches to the new state, which is that of log index `index`. Throws if the snapshot is incomplete. */
  finish(index: number): void;
  abort(): void;
}
