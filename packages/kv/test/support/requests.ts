/** Random requests over few keys and revisions, with every option. */
import * as fc from 'fast-check';
import {
  Compare,
  CompareResult,
  CompareTarget,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  type RequestOp,
  SortOrder,
  SortTarget,
  TxnRequest,
} from '../../src/api/index.ts';

/** Few keys, so that they meet; the bytes 0 and 255 among them. */
const key = fc
  .constantFrom('a', 'ab', 'b', 'ba', 'c', '\0', 'ÿ', 'ÿÿ', 'a\0', 'd', 'e', 'f')
  .map((text) => new Uint8Array(Buffer.from(text, 'latin1')));
const rangeEnd = fc.oneof(
  { weight: 2, arbitrary: fc.constant(new Uint8Array()) },
  { weight: 1, arbitrary: fc.constant(new Uint8Array([0])) },
  { weight: 3, arbitrary: key },
);
const value = fc.oneof(
  fc.uint8Array({ maxLength: 3 }),
  fc.integer({ min: 60, max: 300 }).map((length) => new Uint8Array(length).fill(length)),
);
const revision = fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 30 }));
const bound = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 25 }) },
);

export const range: fc.Arbitrary<RangeRequest> = fc
  .record({
    key,
    rangeEnd,
    limit: fc.constantFrom(0, 0, 1, 2, 3, 100, -1),
    revision,
    sortOrder: fc.constantFrom(...Object.values(SortOrder)),
    sortTarget: fc.constantFrom(...Object.values(SortTarget)),
    serializable: fc.boolean(),
    keysOnly: fc.boolean(),
    countOnly: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    minModRevision: bound,
    maxModRevision: bound,
    minCreateRevision: bound,
    maxCreateRevision: bound,
  })
  .map((fields) => RangeRequest.create(fields));
export const put: fc.Arbitrary<PutRequest> = fc
  .record({
    key,
    value,
    lease: fc.constantFrom(0n, 0n, 0n, 0n, 0n, 5n),
    prevKv: fc.boolean(),
    ignoreValue: fc.constantFrom(false, false, true),
    ignoreLease: fc.constantFrom(false, false, true),
  })
  .map((fields) =>
    PutRequest.create({
      ...fields,
      value: fields.ignoreValue ? new Uint8Array() : fields.value,
      lease: fields.ignoreLease ? 0n : fields.lease,
    }),
  );
export const deleteRange: fc.Arbitrary<DeleteRangeRequest> = fc
  .record({ key, rangeEnd, prevKv: fc.boolean() })
  .map((fields) => DeleteRangeRequest.create(fields));
const compare = fc
  .record({
    key,
    rangeEnd,
    result: fc.constantFrom(...Object.values(CompareResult)),
    target: fc.constantFrom(...Object.values(CompareTarget)),
    targetUnion: fc.oneof(
      fc.integer({ min: 0, max: 3 }).map((value) => ({ case: 'version', value }) as const),
      fc.integer({ min: 0, max: 20 }).map((value) => ({ case: 'createRevision', value }) as const),
      fc.integer({ min: 0, max: 20 }).map((value) => ({ case: 'modRevision', value }) as const),
      value.map((value) => ({ case: 'value', value }) as const),
      fc.constantFrom(0n, 5n).map((value) => ({ case: 'lease', value }) as const),
    ),
  })
  .map((fields) => Compare.create(fields));

const tree = fc.letrec<{ txn: TxnRequest; operation: RequestOp }>((tie) => ({
  txn: fc
    .record({
      compare: fc.array(compare, { maxLength: 2 }),
      success: fc.array(tie('operation'), { maxLength: 4 }),
      failure: fc.array(tie('operation'), { maxLength: 3 }),
    })
    .map((fields) => TxnRequest.create(fields)),
  operation: fc
    .oneof(
      { depthSize: 'small', withCrossShrink: true },
      put.map((value) => ({ case: 'requestPut', value }) as const),
      deleteRange.map((value) => ({ case: 'requestDeleteRange', value }) as const),
      range.map((value) => ({ case: 'requestRange', value }) as const),
      tie('txn').map((value) => ({ case: 'requestTxn', value }) as const),
    )
    .map((request) => ({ request })),
}));

export const txn: fc.Arbitrary<TxnRequest> = tree.txn;
