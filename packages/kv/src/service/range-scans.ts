import type { RangeRequest, TxnRequest } from '../api/index.ts';
import { etcdErrors } from '../errors.ts';
import { Operations } from '../machine/operations.ts';
import { selectRange } from '../machine/range.ts';
import { emptyBody, encodeRange } from '../machine/response.ts';
import type { Steps, WorkMeter } from '../machine/steps.ts';
import type { MvccStore, Pin } from '../mvcc/store.ts';
import type { RpcCall, RpcStatus } from '../rpc.ts';
import type { KvStateMachine } from '../state-machine.ts';
import type { Scan } from './scans.ts';
import { responseTooLarge } from './statuses.ts';

export interface ScanContext {
  readonly machine: KvStateMachine;
  readonly maxResponseBytes: number;
  /** A whole response: header and body. */
  respond(revision: number, body: Uint8Array): Uint8Array;
}

/** Holds a store's versions from a revision on while a scan runs. */
abstract class PinnedScan implements Scan {
  protected readonly context: ScanContext;
  protected readonly call: RpcCall;
  #store: MvccStore | null = null;
  #pin: Pin | null = null;

  constructor(context: ScanContext, call: RpcCall) {
    this.context = context;
    this.call = call;
  }

  get cancelled(): boolean {
    return this.call.cancelled;
  }

  abstract start(meter: WorkMeter): Steps<void>;

  stop(): void {
    if (this.#pin !== null) this.#store?.unpin(this.#pin);
    this.#pin = null;
  }

  protected pin(store: MvccStore, floor: number): void {
    this.#store = store;
    this.#pin = store.pin(floor);
  }
}

/** One Range request. */
export class RangeScan extends PinnedScan {
  readonly #request: RangeRequest;

  constructor(context: ScanContext, call: RpcCall, request: RangeRequest) {
    super(context, call);
    this.#request = request;
  }

  *start(meter: WorkMeter): Steps<void> {
    const { machine, maxResponseBytes } = this.context;
    const request = this.#request;
    const store = machine.store;
    const current = store.revision;
    const revision = request.revision > 0 ? request.revision : current;
    const refusal = unreadable(store, revision);
    if (refusal !== null) {
      this.call.end(refusal);
      return;
    }
    this.pin(store, revision);
    const selection = yield* selectRange(store, request, revision, meter);
    const header = this.context.respond(current, emptyBody);
    const response = yield* encodeRange(selection, request.keysOnly, header, maxResponseBytes, meter);
    if (response === null) this.call.end(responseTooLarge(maxResponseBytes, false));
    else this.call.reply(response);
  }
}

/** A transaction of ranges only. */
export class ReadTxnScan extends PinnedScan {
  readonly #request: TxnRequest;

  constructor(context: ScanContext, call: RpcCall, request: TxnRequest) {
    super(context, call);
    this.#request = request;
  }

  *start(meter: WorkMeter): Steps<void> {
    const { machine, maxResponseBytes } = this.context;
    const store = machine.store;
    const { revision, compactRevision } = store;
    this.pin(store, compactRevision);
    const operations = new Operations({ store, meter, maxResponseBytes }, 'readOnly', true);
    const result = yield* operations.txn(this.#request);
    if (result.kind === 'failed') {
      this.call.end(etcdErrors[result.error]);
    } else if (result.kind === 'oversized') {
      this.call.end(responseTooLarge(maxResponseBytes, false));
    } else {
      this.call.reply(this.context.respond(revision, result.body));
    }
  }
}

export function unreadable(store: MvccStore, revision: number): RpcStatus | null {
  if (revision > store.revision) return etcdErrors.futureRevision;
  return revision < store.compactRevision ? etcdErrors.compacted : null;
}
