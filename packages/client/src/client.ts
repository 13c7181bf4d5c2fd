import {
  CompactionRequest,
  type DeleteRangeResponse,
  type MemberListResponse,
  type MembershipChangeResponse,
  type MembershipViewResponse,
  type MethodDescriptor,
  type MoveLeaderResponse,
  type PutResponse,
  type RangeResponse,
  type ResponseHeader,
  services,
} from '@quorate/kv/api';
import { Call, type CallContext } from './call.ts';
import { Endpoint } from './endpoint.ts';
import { endpointOrigin, endpointOrigins } from './endpoint-url.ts';
import { ClientError, invalid } from './errors.ts';
import { FRAME_HEADER_BYTES, frameOf } from './grpc.ts';
import { Http2Transport } from './http2-transport.ts';
import { LeaderTracker } from './leader-tracker.ts';
import { type CallOptions, type ClientOptions, milliseconds, type Settings, settingsFrom } from './options.ts';
import {
  type Bytes,
  type DeleteOptions,
  deleteRequest,
  type GetOptions,
  type PutOptions,
  putRequest,
  rangeRequest,
} from './requests.ts';
import { deleteResult, getResult, putResult, statusResult, txnResult } from './responses.ts';
import {
  type Answered,
  answered,
  type DeleteResult,
  type GetResult,
  type MemberListResult,
  type PutResult,
  type StatusResult,
  type TxnResult,
} from './results.ts';
import { changeRequest, type MembershipResult, membershipResult, type MembershipWish } from './membership.ts';
import { Ring } from './ring.ts';
import { type Transport } from './transport.ts';
import { onlyReads, type Txn, txnRequest } from './txn.ts';
import { type CallKind } from './verdict.ts';

const { KV, Maintenance, Cluster, Membership } = services;

/** What distinguishes one call from another. */
interface Request<Message, Response, Result> {
  readonly method: MethodDescriptor<Message, Response>;
  readonly message: Message;
  readonly kind: CallKind;
  /** Whether only a server that knows a leader can answer. */
  readonly needsLeader: boolean;
  readonly resultOf: (response: Response, endpoint: string) => Result;
}

/**
 * Connects to a cluster: to the first of `endpoints` (`host:port`, a list or one string with commas) that answers, and to the leader if it
 * is found among them within a second, so that no call makes a detour by a server that may be slow. The others are connected to when
 * they are needed.
 *
 * @throws ClientError `InvalidArgument`, `Unavailable` when none answers within `timeout`, `Aborted`.
 */
export async function connect(endpoints: string | readonly string[], options: ClientOptions = {}): Promise<Client> {
  const settings = settingsFrom(options);
  const client = new Client(endpointOrigins(endpoints), settings, new Http2Transport(settings));
  try {
    await client.begin(options.signal);
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

/**
 * A client of an etcd v3 cluster. Calls go to the leader when it is known; what was definitely refused is tried elsewhere until
 * the deadline; a write whose outcome is unknown fails with `OutcomeUnknown` and is never repeated. Every method throws
 * {@link ClientError} and nothing else.
 */
export class Client {
  /** The servers that it knows, as `http://host:port`. */
  readonly endpoints: readonly string[];
  private readonly settings: Settings;
  private readonly context: CallContext & { readonly leader: LeaderTracker };
  private callsInFlight = 0;
  private closed: Promise<void> | undefined;
  private onLastCall: (() => void) | undefined;

  /** Use {@link connect}. `origins` are distinct and at least one. */
  constructor(origins: readonly string[], settings: Settings, transport: Transport) {
    const ring = new Ring(origins.map((origin) => new Endpoint(origin, transport)));
    this.endpoints = origins;
    this.settings = settings;
    this.context = { ring, leader: new LeaderTracker(ring) };
  }

  /** What {@link connect} waits for: a server that answers, and the leader if it can be found. */
  async begin(signal: AbortSignal | undefined): Promise<void> {
    await this.status(undefined, signal === undefined ? {} : { signal });
    await this.context.leader.search(signal);
    if (signal?.aborted !== true) return;
    throw new ClientError('Aborted', 'The signal fired while the leader was looked for.', { cause: signal.reason });
  }

  /** Reads a key, or a range of keys, as of now unless `serializable` or `revision` say otherwise. */
  get(key: Bytes, options: GetOptions & CallOptions = {}): Promise<GetResult> {
    return this.call(options, () => {
      const needsLeader = options.serializable !== true;
      return {
        method: KV.Range,
        message: rangeRequest(key, options),
        kind: 'read',
        needsLeader,
        resultOf: rangeResult,
      };
    });
  }

  /** Writes a key. */
  put(key: Bytes, value: Bytes, options: PutOptions & CallOptions = {}): Promise<PutResult> {
    return this.call(options, () => {
      return {
        method: KV.Put,
        message: putRequest(key, value, options),
        kind: 'write',
        needsLeader: true,
        resultOf: writeResult,
      };
    });
  }

  /** Deletes a key, or a range of keys. */
  delete(key: Bytes, options: DeleteOptions & CallOptions = {}): Promise<DeleteResult> {
    return this.call(options, () => {
      return {
        method: KV.DeleteRange,
        message: deleteRequest(key, options),
        kind: 'write',
        needsLeader: true,
        resultOf: removeResult,
      };
    });
  }

  /** Does one of two lists of operations at one revision, as the comparisons turn out. */
  txn(txn: Txn, options: CallOptions = {}): Promise<TxnResult> {
    return this.call(options, () => {
      const kind = onlyReads(txn) ? 'read' : 'write';
      return {
        method: KV.Txn,
        message: txnRequest(txn),
        kind,
        needsLeader: true,
        resultOf: (response) => txnResult(response),
      };
    });
  }

  /** Forgets what was superseded before `revision`; `physical` waits until the space is free. */
  compact(revision: number, options: { readonly physical?: boolean } & CallOptions = {}): Promise<Answered> {
    return this.call(options, () => {
      const message = CompactionRequest.create({ revision, physical: options.physical ?? false });
      return {
        method: KV.Compact,
        message,
        kind: 'write',
        needsLeader: true,
        resultOf: (response) => answered(response.header),
      };
    });
  }

  /** How a server sees itself and the cluster: the one at `endpoint`, one of the client's, or any. */
  status(endpoint?: string, options: CallOptions = {}): Promise<StatusResult> {
    return this.call(
      options,
      () => ({ method: Maintenance.Status, message: {}, kind: 'read', needsLeader: false, resultOf: statusResult }),
      () => (endpoint === undefined ? this.context : this.contextOf(endpoint)),
    );
  }

  /** Who belongs to the cluster; `linearizable` unless that is set to false: then as the server asked knows it. */
  memberList(options: { readonly linearizable?: boolean } & CallOptions = {}): Promise<MemberListResult> {
    return this.call(options, () => {
      const message = { linearizable: options.linearizable ?? true };
      const resultOf = (response: MemberListResponse): MemberListResult => {
        return { ...answered(response.header), members: response.members };
      };
      return { method: Cluster.MemberList, message, kind: 'read', needsLeader: message.linearizable, resultOf };
    });
  }

  /** The membership with what is under way, as the leader sees it where it is known. */
  membership(options: CallOptions = {}): Promise<MembershipResult> {
    return this.call(options, () => ({
      method: Membership.View,
      message: {},
      kind: 'read',
      needsLeader: true,
      resultOf: ({ header, view }: MembershipViewResponse): MembershipResult => membershipResult(header, [], view),
    }));
  }

  /**
   * Changes the membership by all wishes in one step. Resolves when the change has begun: the cluster carries it on by itself;
   * `membership()` tells how far it is. `dryRun` does nothing and says what would be.
   */
  changeMembership(
    wishes: readonly MembershipWish[],
    options: { readonly version?: number; readonly dryRun?: boolean } & CallOptions = {},
  ): Promise<MembershipResult> {
    const { version, dryRun = false } = options;
    return this.call(options, () => ({
      method: Membership.Change,
      message: changeRequest(wishes, version, dryRun),
      kind: dryRun ? 'read' : 'write',
      needsLeader: true,
      resultOf: ({ header, added, view }: MembershipChangeResponse): MembershipResult =>
        membershipResult(header, added, view),
    }));
  }

  /** Hands the leadership to this member. Asked at the leader, which is looked for first. */
  async moveLeader(target: bigint, options: CallOptions = {}): Promise<Answered> {
    // Until somebody has answered, the client may take another server for the leader.
    await this.membership(options);
    await this.context.leader.search(options.signal);
    return await this.call(options, () => ({
      method: Maintenance.MoveLeader,
      message: { targetID: target },
      kind: 'write',
      needsLeader: true,
      resultOf: (response: MoveLeaderResponse) => answered(response.header),
    }));
  }

  /** Takes no more calls, waits for those in flight (their deadlines bound that), and closes the connections. */
  close(): Promise<void> {
    this.closed ??= this.finish();
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async finish(): Promise<void> {
    if (this.callsInFlight > 0) {
      await new Promise<void>((resolve) => {
        this.onLastCall = resolve;
      });
    }
    await Promise.all(this.context.ring.endpoints.map((endpoint) => endpoint.close()));
  }

  /** One server and no other, and no opinion about who leads. */
  private contextOf(endpoint: string): CallContext {
    const origin = endpointOrigin(endpoint);
    const found = this.context.ring.endpoints.find((each) => each.origin === origin);
    if (found === undefined) {
      throw invalid(`The client does not know ${origin}; it was given ${this.endpoints.join(', ')}.`);
    }
    return { ring: new Ring([found]), leader: { observe: () => undefined, suspect: () => undefined } };
  }

  /** What `describe` and `contextFor` throw rejects the promise like any other failure. */
  private call<Message, Response extends { header: ResponseHeader | undefined }, Result>(
    { timeout = this.settings.timeout, signal }: CallOptions,
    describe: () => Request<Message, Response, Result>,
    contextFor = (): CallContext => this.context,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.admit(signal);
      const context = contextFor();
      const { method, message, kind, needsLeader, resultOf } = describe();
      const plan = {
        path: method.path,
        response: method.response,
        resultOf,
        frame: this.frameOf(method, message),
        kind,
        needsLeader,
        timeout: milliseconds('timeout', timeout),
        signal,
      };
      this.callsInFlight++;
      new Call(context, plan, (outcome) => {
        this.callsInFlight--;
        if (outcome.error === undefined) resolve(outcome.result);
        else reject(outcome.error);
        if (this.callsInFlight === 0) this.onLastCall?.();
      }).attempt();
    });
  }

  private admit(signal: AbortSignal | undefined): void {
    if (this.closed !== undefined) throw new ClientError('Closed', 'The client has been closed; connect anew.');
    if (signal?.aborted === true) {
      throw new ClientError('Aborted', 'The signal had fired before the call was made.', { cause: signal.reason });
    }
    const { maxCalls } = this.settings;
    if (this.callsInFlight < maxCalls) return;
    throw new ClientError(
      'TooManyCalls',
      `${maxCalls} calls are waiting already; await some of them, or raise maxCalls.`,
    );
  }

  private frameOf<Message>(method: MethodDescriptor<Message, unknown>, message: Message): Uint8Array {
    let frame: Uint8Array;
    try {
      frame = frameOf(method, message);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new ClientError('InvalidArgument', cause.message, { cause });
    }
    const { maxRequestBytes } = this.settings;
    if (frame.length - FRAME_HEADER_BYTES <= maxRequestBytes) return frame;
    throw invalid(
      `The request takes ${frame.length} bytes, more than maxRequestBytes, ${maxRequestBytes}; write less at once.`,
    );
  }
}

const rangeResult = (response: RangeResponse): GetResult => getResult(response);
const writeResult = (response: PutResponse): PutResult => putResult(response);
const removeResult = (response: DeleteRangeResponse): DeleteResult => deleteResult(response);
