/**
 * Everything between a request's bytes and the state machine: checks, the envelope, consensus, read barriers, deadlines, and the
 * slicing of what is large. Offers etcdserverpb.KV; other services of the same server use its barriers and headers.
 */
import {
  CompactionRequest,
  DeleteRangeRequest,
  Member,
  ProtobufError,
  PutRequest,
  RangeRequest,
  ResponseHeader,
  TxnRequest,
} from '../api/index.ts';
import { allocate } from '../api/wire/slab.ts';
import { byteStringOf } from '../byte-string.ts';
import type { Consensus, KvEnvironment } from '../consensus.ts';
import { etcdErrors } from '../errors.ts';
import { CommandKind } from '../machine/envelope.ts';
import { sizeRangeOfOne, writeRangeOfOne } from '../machine/response.ts';
import { type RpcCall, type RpcMethod, type RpcService, type RpcStatus, StatusCode } from '../rpc.ts';
import type { CommandResult, KvStateMachine } from '../state-machine.ts';
import { checkDeleteRange, checkPut, checkRange, checkTxn, isPlainGet, isReadOnly, isSerializable } from './checks.ts';
import { defaultKvServiceOptions, type KvServiceDefaults, type KvServiceOptions } from './options.ts';
import { Proposals } from './proposals.ts';
import { RangeScan, ReadTxnScan, type ScanContext, unreadable } from './range-scans.ts';
import { type BarrierDone, ReadBarriers } from './read-barriers.ts';
import { Reclaimer } from './reclaimer.ts';
import { ResponseHeaders } from './response-header.ts';
import { requiresLeader } from './require-leader.ts';
import { type Scan, Scans } from './scans.ts';
import { hasTooManyOperations } from './txn-size.ts';
import { malformed, refused, responseTooLarge, withOutcome } from './statuses.ts';

export type KvServiceSettings = Pick<KvServiceOptions, 'clusterId' | 'origin' | 'sequenceFloor'> &
  Partial<KvServiceDefaults>;

export class KvService implements RpcService {
  readonly #consensus: Consensus;
  readonly #machine: KvStateMachine;
  readonly #options: KvServiceOptions;
  readonly #headers: ResponseHeaders;
  readonly #proposals: Proposals;
  readonly #barriers: ReadBarriers;
  readonly #scans: Scans;
  readonly #reclaimer: Reclaimer;
  readonly #scanContext: ScanContext;
  readonly #unsubscribe: (() => void)[];

  readonly methods: ReadonlyMap<string, RpcMethod> = new Map([
    ['/etcdserverpb.KV/Range', this.#unary((call) => this.#range(call))],
    ['/etcdserverpb.KV/Put', this.#unary((call) => this.#put(call))],
    ['/etcdserverpb.KV/DeleteRange', this.#unary((call) => this.#deleteRange(call))],
    ['/etcdserverpb.KV/Txn', this.#unary((call) => this.#txn(call))],
    ['/etcdserverpb.KV/Compact', this.#unary((call) => this.#compact(call))],
  ]);

  constructor(consensus: Consensus, environment: KvEnvironment, machine: KvStateMachine, settings: KvServiceSettings) {
    this.#consensus = consensus;
    this.#machine = machine;
    this.#options = { ...defaultKvServiceOptions, ...settings };
    this.#headers = new ResponseHeaders(settings.clusterId, settings.origin.member);
    this.#proposals = new Proposals(consensus, environment, machine, this.#options);
    this.#barriers = new ReadBarriers(consensus, environment, this.#options);
    this.#scans = new Scans(environment, this.#options);
    this.#reclaimer = new Reclaimer(environment, machine);
    this.#scanContext = {
      machine,
      maxResponseBytes: this.#options.maxResponseBytes,
      respond: (revision, body) => this.#headers.before(revision, consensus.progress().term, body),
    };
    this.#unsubscribe = [
      consensus.onLeadership(({ leader }) => {
        if (leader === 0n) return;
        this.#proposals.leaderFound();
        this.#barriers.leaderFound();
      }),
      consensus.onApplied(() => this.#reclaimer.wake()),
    ];
  }

  /** Answers every call that still waits and refuses what comes later. */
  close(): void {
    for (const stop of this.#unsubscribe) stop();
    this.#proposals.close();
    this.#barriers.close();
    this.#scans.close();
    this.#reclaimer.close();
  }

  // ------------------------------------------------------------------------------------- for the server's other services

  /** A response header of this server, now. */
  header(): ResponseHeader {
    return ResponseHeader.create({
      clusterId: this.#options.clusterId,
      memberId: this.#options.origin.member,
      revision: this.#machine.store.revision,
      raftTerm: this.#consensus.progress().term,
    });
  }

  /** Calls back when the state machine shows every write acknowledged before this call. `deadline` is monotonic, in µs. */
  linearize(deadline: number, done: BarrierDone): void {
    this.#barriers.wait(deadline, null, done);
  }

  /** Tells every server what this member's name and URLs are. `deadline` is monotonic, in µs. */
  publishMember(member: Member, deadline: number, done: (failure: RpcStatus | null) => void): void {
    const client = { deadline, cancelled: false };
    this.#proposals.propose(CommandKind.publishMember, Member.encode(member), client, (result, status) => {
      done(status ?? this.#failureOf(result));
    });
  }

  /** A method with one request and one answer, for clients that can wait for a leader and for those that will not. */
  #unary(handle: (call: RpcCall) => void): RpcMethod {
    return {
      clientStreaming: false,
      serverStreaming: false,
      handle: (call) => {
        const isLeaderless = this.#consensus.leadership().leader === 0n;
        if (isLeaderless && requiresLeader(call)) call.end(refused(etcdErrors.noLeader));
        else handle(call);
      },
    };
  }

  // ------------------------------------------------------------------------------------------------------------- reads

  #range(call: RpcCall): void {
    const request = decode(call, RangeRequest);
    if (request === null) return;
    const refusal = checkRange(request);
    if (refusal !== null) call.end(refusal);
    else this.#read(call, request.serializable, () => this.#serveRange(call, request));
  }

  /** Serves at once, or when nothing acknowledged before this moment can be missing any more. */
  #read(call: RpcCall, serializable: boolean, serve: () => void): void {
    // Whose state is still to come has nothing to show, not even something old.
    if (serializable && !this.#isEmpty()) {
      serve();
      return;
    }
    this.#barriers.wait(call.deadline, call, (failure) => {
      if (failure !== null) call.end(failure);
      else if (!call.cancelled) serve();
    });
  }

  /** Nothing has been applied here since the start, though something is committed. */
  #isEmpty(): boolean {
    const { appliedIndex, committedIndex } = this.#consensus.progress();
    return appliedIndex === 0 && committedIndex > 0;
  }

  #serveRange(call: RpcCall, request: RangeRequest): void {
    if (isPlainGet(request)) this.#serveGet(call, request);
    else this.#scan(call, new RangeScan(this.#scanContext, call, request));
  }

  /** Most reads are for one key, and need none of a scan's machinery. */
  #serveGet(call: RpcCall, request: RangeRequest): void {
    const { store } = this.#machine;
    const revision = request.revision > 0 ? request.revision : store.revision;
    const refusal = unreadable(store, revision);
    if (refusal !== null) {
      call.end(refusal);
      return;
    }
    const key = byteStringOf(request.key);
    const version = store.get(key, revision);
    const { term } = this.#consensus.progress();
    const header = this.#headers.size(store.revision, term);
    const bytes = allocate(header + sizeRangeOfOne(key, version, request.keysOnly));
    writeRangeOfOne(key, version, request.keysOnly, bytes, this.#headers.write(bytes, store.revision, term));
    call.reply(bytes);
  }

  #scan(call: RpcCall, scan: Scan): void {
    if (!this.#scans.run(scan)) call.end(etcdErrors.tooManyRequests);
  }

  // ------------------------------------------------------------------------------------------------------------ writes

  #put(call: RpcCall): void {
    const request = decode(call, PutRequest);
    if (request === null) return;
    this.#write(call, CommandKind.put, checkPut(request));
  }

  #deleteRange(call: RpcCall): void {
    const request = decode(call, DeleteRangeRequest);
    if (request === null) return;
    this.#write(call, CommandKind.deleteRange, checkDeleteRange(request));
  }

  #txn(call: RpcCall): void {
    const { maxTxnOperations } = this.#options;
    const tooMany = decode(call, { decode: (bytes) => hasTooManyOperations(bytes, maxTxnOperations) });
    if (tooMany === true) call.end(refused(etcdErrors.tooManyOperations));
    const request = tooMany === false ? decode(call, TxnRequest) : null;
    if (request === null) return;
    const refusal = checkTxn(request, maxTxnOperations);
    if (refusal === null && isReadOnly(request)) {
      this.#read(call, isSerializable(request), () => {
        this.#scan(call, new ReadTxnScan(this.#scanContext, call, request));
      });
    } else {
      this.#write(call, CommandKind.txn, refusal);
    }
  }

  #compact(call: RpcCall): void {
    const request = decode(call, CompactionRequest);
    if (request === null) return;
    this.#proposals.propose(CommandKind.compact, call.request, call, (result, status) => {
      const failed = status !== null || result?.kind !== 'done';
      if (failed || !request.physical) this.#answer(call, result, status);
      else this.#reclaimer.whenClean(() => this.#answer(call, result, status));
    });
  }

  #write(call: RpcCall, kind: CommandKind, refusal: RpcStatus | null): void {
    if (refusal !== null) {
      call.end(refused(refusal));
      return;
    }
    this.#proposals.propose(kind, call.request, call, (result, status) => this.#answer(call, result, status));
  }

  #answer(call: RpcCall, result: CommandResult | null, status: RpcStatus | null): void {
    const failure = status ?? this.#failureOf(result);
    if (failure !== null) {
      call.end(failure);
    } else if (result?.kind === 'done') {
      const { term } = this.#consensus.progress();
      call.reply(this.#headers.before(result.revision, term, result.body));
    }
  }

  #failureOf(result: CommandResult | null): RpcStatus | null {
    switch (result?.kind) {
      case 'done':
        return null;
      case 'failed':
        return refused(etcdErrors[result.error]);
      case 'oversized':
        return withOutcome(responseTooLarge(this.#options.maxResponseBytes, true), 'unknown');
      case 'duplicate':
        return withOutcome(
          {
            code: StatusCode.unavailable,
            message: 'etcdserver: the request was superseded by a newer run of this server',
          },
          'unknown',
        );
      default:
        return withOutcome(
          { code: StatusCode.internal, message: 'etcdserver: the state machine gave no answer' },
          'unknown',
        );
    }
  }
}

/** Null if the bytes are no such message; the call has been ended then. */
function decode<T>(call: RpcCall, type: { decode(bytes: Uint8Array): T }): T | null {
  try {
    return type.decode(call.request);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    call.end(refused(malformed(error)));
    return null;
  }
}
