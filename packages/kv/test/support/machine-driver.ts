import {
  CompactionRequest,
  DeleteRangeRequest,
  DeleteRangeResponse,
  type MessageType,
  PutRequest,
  PutResponse,
  TxnRequest,
  TxnResponse,
} from '../../src/api/index.ts';
import { CommandKind, Envelopes, type Origin } from '../../src/machine/envelope.ts';
import {
  type CommandResult,
  continueApply,
  KvStateMachine,
  type StateMachineOptions,
} from '../../src/state-machine.ts';
import { plain } from './naive-model.ts';

export const origin: Origin = { member: 0xfedc_ba98_7654_3210n, incarnation: 7n };
const envelopes = new Envelopes(origin);

/** Feeds a state machine as a log would, and turns its answers back into messages. */
export class MachineDriver {
  machine: KvStateMachine;
  readonly options: Partial<StateMachineOptions>;
  index = 0;
  sequence = 0;
  /** Slices that the last command took. */
  slices = 0;

  constructor(options: Partial<StateMachineOptions> = {}) {
    this.options = { origin, ...options };
    this.machine = new KvStateMachine(this.options);
  }

  put(request: Partial<PutRequest>): unknown {
    const result = this.command(CommandKind.put, PutRequest, PutRequest.create(request));
    return answerOf(result, (body) => ({ prevKv: plain(PutResponse.decode(body).prevKv) }));
  }

  deleteRange(request: Partial<DeleteRangeRequest>): unknown {
    const result = this.command(CommandKind.deleteRange, DeleteRangeRequest, DeleteRangeRequest.create(request));
    return answerOf(result, (body) => {
      const { deleted, prevKvs } = DeleteRangeResponse.decode(body);
      return { deleted, prevKvs: prevKvs.map(plain) };
    });
  }

  txn(request: Partial<TxnRequest>): unknown {
    const result = this.command(CommandKind.txn, TxnRequest, TxnRequest.create(request));
    return answerOf(result, (body) => plainTxn(TxnResponse.decode(body)));
  }

  compact(revision: number): unknown {
    const result = this.command(CommandKind.compact, CompactionRequest, CompactionRequest.create({ revision }));
    return answerOf(result, () => ({}));
  }

  command<T>(kind: CommandKind, type: MessageType<T>, request: T): CommandResult {
    return this.apply(envelopes.wrap(++this.sequence, kind, type.encode(request)));
  }

  /** Applies bytes as the next entry, to the end. */
  apply(data: Uint8Array): CommandResult {
    this.index++;
    for (this.slices = 1; ; this.slices++) {
      const result = this.machine.apply({ index: this.index, data });
      if (result !== continueApply) return result;
    }
  }

  snapshot(): Uint8Array[] {
    return readAll(this.machine.openSnapshot());
  }

  /** Goes on with a new machine that has been restored from a snapshot of this one. */
  restart(): void {
    const slices = this.snapshot();
    this.machine = new KvStateMachine(this.options);
    restore(this.machine, slices, this.index);
  }
}

export function readAll(source: { next(): Uint8Array | null; close(): void }): Uint8Array[] {
  const slices: Uint8Array[] = [];
  for (let slice = source.next(); slice !== null; slice = source.next()) slices.push(slice);
  source.close();
  return slices;
}

export function restore(machine: KvStateMachine, slices: readonly Uint8Array[], index: number): void {
  const sink = machine.beginRestore();
  for (const slice of slices) sink.write(slice);
  sink.finish(index);
}

function answerOf(result: CommandResult, decode: (body: Uint8Array) => object): unknown {
  if (result.kind === 'failed') return { error: result.error };
  if (result.kind !== 'done') throw new Error(`unexpected result ${result.kind}`);
  return { ...decode(result.body), revision: result.revision };
}

export function plainTxn({ succeeded, responses }: TxnResponse): object {
  return {
    succeeded,
    responses: responses.map(({ response }) => {
      const revision = response.value?.header?.revision;
      switch (response.case) {
        case 'responsePut':
          return { prevKv: plain(response.value.prevKv), revision };
        case 'responseDeleteRange':
          return { deleted: response.value.deleted, prevKvs: response.value.prevKvs.map(plain), revision };
        case 'responseRange':
          return { ...plainRange(response.value), revision };
        case 'responseTxn':
          return { ...plainTxn(response.value), revision };
        default:
          throw new Error('an empty response');
      }
    }),
  };
}

export function plainRange(response: { kvs: Parameters<typeof plain>[0][]; count: number; more: boolean }): object {
  return { kvs: response.kvs.map(plain), count: response.count, more: response.more };
}
