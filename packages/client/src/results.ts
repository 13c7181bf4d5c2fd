import { type KeyValue, type Member, type ResponseHeader } from '@quorate/kv/api';
import { MalformedResponse } from './errors.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** One version of one key. */
export class Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** The revision that created the key. */
  readonly createRevision: number;
  /** The revision of its last change. */
  readonly modRevision: number;
  /** 1 at creation, one more at every change. */
  readonly version: number;
  /** The lease that the key hangs on; 0n for none. */
  readonly lease: bigint;

  constructor(kv: KeyValue) {
    this.key = kv.key;
    this.value = kv.value;
    this.createRevision = kv.createRevision;
    this.modRevision = kv.modRevision;
    this.version = kv.version;
    this.lease = kv.lease;
  }

  /** The value as UTF-8; bytes that are none show as the replacement character. */
  text(): string {
    return decoder.decode(this.value);
  }

  /** The key as UTF-8. */
  keyText(): string {
    return decoder.decode(this.key);
  }
}

/** Who answered, and where the store stood. */
export interface Answered {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** The store's revision when the call was done. For a write: the revision that it made. */
  readonly revision: number;
  readonly raftTerm: number;
}

export interface GetResult extends Answered {
  readonly entries: readonly Entry[];
  /** The first of them; undefined when there is none. */
  readonly entry: Entry | undefined;
  /** How many keys the range holds, whatever `limit` and the revision bounds left out. */
  readonly count: number;
  /** Whether `limit` cut the answer short. */
  readonly more: boolean;
}

export interface PutResult extends Answered {
  /** What stood there before, if that was asked for and there was anything. */
  readonly previous: Entry | undefined;
}

export interface DeleteResult extends Answered {
  /** How many keys were deleted. */
  readonly deleted: number;
  /** What they held, if that was asked for. */
  readonly previous: readonly Entry[];
}

export interface TxnResult extends Answered {
  /** Whether every comparison held, so that `success` was done and not `failure`. */
  readonly succeeded: boolean;
  /** One for each operation that was done, in order. */
  readonly results: readonly OpResult[];
}

export type OpResult =
  | ({ readonly op: 'get' } & GetResult)
  | ({ readonly op: 'put' } & PutResult)
  | ({ readonly op: 'delete' } & DeleteResult)
  | ({ readonly op: 'txn' } & TxnResult);

export interface StatusResult extends Answered {
  /** The address that was asked. */
  readonly endpoint: string;
  readonly version: string;
  /** Bytes of the store, freed space included. */
  readonly dbSize: number;
  /** Bytes of the store, freed space left out. */
  readonly dbSizeInUse: number;
  /** The leader as this member knows it; 0n for none. */
  readonly leader: bigint;
  readonly isLeader: boolean;
  readonly isLearner: boolean;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  /** What is wrong, alarms included. */
  readonly errors: readonly string[];
}

export interface MemberListResult extends Answered {
  readonly members: readonly Readonly<Member>[];
}

/**
 * @throws MalformedResponse when there is no header.
 */
export function answered(header: ResponseHeader | undefined): Answered {
  if (header === undefined) throw new MalformedResponse('a response without a header');
  const { clusterId, memberId, revision, raftTerm } = header;
  return { clusterId, memberId, revision, raftTerm };
}
