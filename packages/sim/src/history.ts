/**
 * What clients saw: the input of the linearizability checker, whoever recorded it (a virtual world, or real processes). Times are
 * whole microseconds on one clock; an interval is closed at both ends.
 */

/** One call of one client. */
export interface Operation {
  /** Which client; a client has at most one call open at a time. */
  readonly client: number;
  readonly request: KvRequest;
  readonly called: number;
  /** Null while, or if, no answer came. */
  readonly returned: number | null;
  readonly outcome: OperationOutcome;
}

export type OperationOutcome =
  | { readonly kind: 'ok'; readonly response: KvResponse }
  /** Definite: it has had no effect and never will. */
  | { readonly kind: 'refused'; readonly code: string }
  /** It may have taken effect at any time after `called`, or may yet, or never. */
  | { readonly kind: 'unknown'; readonly code: string };

/** Keys and values are text here: the generators of histories use nothing else. */
export type KvRequest =
  | SimpleRequest
  | { readonly kind: 'txn'; readonly txn: TxnRequest }
  | { readonly kind: 'compact'; readonly revision: number };

export type SimpleRequest =
  | {
      readonly kind: 'range';
      readonly key: string;
      /** Exclusive end of the range; '' for the single key. */
      readonly rangeEnd: string;
      /** Read at this revision; 0 for the newest. */
      readonly revision: number;
      /** Largest number of keys; 0 for all. */
      readonly limit: number;
      /** Serializable reads may be stale: they are checked against the committed order, not against real time. */
      readonly serializable: boolean;
    }
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string; readonly rangeEnd: string };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly SimpleRequest[];
  readonly failure: readonly SimpleRequest[];
}

export type Compare = { readonly key: string } & (
  | { readonly target: 'value'; readonly result: CompareResult; readonly value: string }
  | { readonly target: 'version' | 'create' | 'mod'; readonly result: CompareResult; readonly value: number }
);
export type CompareResult = 'equal' | 'notEqual' | 'greater' | 'less';

export type KvResponse = SimpleResponse | TxnResponse | { readonly kind: 'compact'; readonly revision: number };

/** `revision` is the header's: that of the store when the answer was made. */
export type SimpleResponse =
  | {
      readonly kind: 'range';
      readonly revision: number;
      readonly count: number;
      readonly more: boolean;
      readonly kvs: readonly KeyValue[];
    }
  | { readonly kind: 'put'; readonly revision: number; readonly previous: KeyValue | null }
  | { readonly kind: 'delete'; readonly revision: number; readonly deleted: number };

export interface TxnResponse {
  readonly kind: 'txn';
  readonly revision: number;
  readonly succeeded: boolean;
  readonly responses: readonly SimpleResponse[];
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}
