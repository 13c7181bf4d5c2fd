/**
 * Whatever bytes a client sends: an answer or an error, and never a command that the state machine cannot apply, which would
 * stop every server that applies it.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertLong } from '../../../test-support/long-property.ts';
import { PutRequest } from '../src/api/index.ts';
import { asCompact, asDeleteRange, asPut, asRange, asTxn, type EncodedRequest } from './support/refusals.ts';
import { deleteRange, put, range, txn } from './support/requests.ts';
import { bytes, TestService } from './support/test-service.ts';

const valid: fc.Arbitrary<EncodedRequest> = fc.oneof(
  put.map(asPut),
  range.map(asRange),
  deleteRange.map(asDeleteRange),
  txn.map(asTxn),
  fc.integer({ min: -3, max: 20 }).map(asCompact),
);
const change = fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }), how: fc.constantFrom('set', 'insert', 'remove') });
const damaged = fc.record({ request: valid, changes: fc.array(change, { minLength: 1, maxLength: 4 }) });
const rubbish = fc.record({
  method: fc.constantFrom('Range', 'Put', 'DeleteRange', 'Txn', 'Compact'),
  bytes: fc.uint8Array({ maxLength: 60 }),
});

function damage({
  request,
  changes,
}: {
  request: EncodedRequest;
  changes: { at: number; byte: number; how: string }[];
}) {
  const list = [...request.bytes];
  for (const { at, byte, how } of changes) {
    const place = at % (list.length + 1);
    list.splice(place, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]));
  }
  return { method: request.method, bytes: new Uint8Array(list) };
}

describe('a service that is sent anything at all', () => {
  it('answers each call once and keeps its state machine going', () => {
    assertLong(
      fc.property(
        fc.array(fc.oneof(damaged.map(damage), rubbish, valid), { minLength: 1, maxLength: 30 }),
        (requests) => {
          const service = new TestService();
          for (const request of requests) {
            const call = service.beginRaw(request.method, request.bytes);
            service.settle();
            expect(call.status).not.toBeNull();
            expect(call.status?.message).not.toMatch(/gave no answer/);
          }
          const last = service.begin('Put', PutRequest, { key: bytes('still there') });
          service.settle();
          expect(last.status?.code).toBe(0);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
