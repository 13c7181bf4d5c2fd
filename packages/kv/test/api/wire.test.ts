import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Compare,
  LeaseGrantRequest,
  MAX_NESTING,
  Member,
  PutRequest,
  ProtobufError,
  RangeRequest,
  type RequestOp,
  ResponseHeader,
  PutResponse,
  StatusResponse,
  TxnRequest,
  WatchCreateRequest,
} from '@quorate/kv/api';
import { subjects } from './oracle.ts';

function bytes(...parts: (number | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flat());
}

const MINUS_ONE = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
const MAX_INT64 = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
const MIN_INT64 = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];

describe('64-bit numbers', () => {
  test.each([0n, 1n, -1n, 127n, 128n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)])(
    'a lease id of %s comes back exactly',
    (lease) => {
      expect(PutRequest.decode(PutRequest.encode(PutRequest.create({ lease }))).lease).toBe(lease);
    },
  );

  test.each([0n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n])(
    'a member id of %s comes back exactly',
    (id) => {
      const header = ResponseHeader.create({ memberId: id });
      expect(ResponseHeader.decode(ResponseHeader.encode(header)).memberId).toBe(id);
    },
  );

  test.each([
    0,
    -1,
    2 ** 28,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    -(2 ** 32) - 1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ])('a revision of %s comes back exactly', (revision) => {
    expect(RangeRequest.decode(RangeRequest.encode(RangeRequest.create({ revision }))).revision).toBe(revision);
  });

  test('what is beyond a safe integer saturates when decoded', () => {
    expect(RangeRequest.decode(bytes(0x20, MAX_INT64)).revision).toBe(Number.MAX_SAFE_INTEGER);
    expect(RangeRequest.decode(bytes(0x20, MIN_INT64)).revision).toBe(Number.MIN_SAFE_INTEGER);
    expect(RangeRequest.decode(bytes(0x20, MINUS_ONE)).revision).toBe(-1);
    expect(ResponseHeader.decode(bytes(0x20, MINUS_ONE)).raftTerm).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('what does not fit is refused when encoded', () => {
    for (const revision of [2 ** 53, -(2 ** 53), 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => RangeRequest.encode(RangeRequest.create({ revision }))).toThrow(RangeError);
    }
    for (const ID of [2n ** 63n, -(2n ** 63n) - 1n]) {
      expect(() => LeaseGrantRequest.encode(LeaseGrantRequest.create({ ID }))).toThrow(RangeError);
    }
    for (const ID of [2n ** 64n, -1n]) {
      expect(() => Member.encode(Member.create({ ID }))).toThrow(RangeError);
    }
    expect(() => StatusResponse.encode(StatusResponse.create({ raftTerm: -1 }))).toThrow(RangeError);
  });
});

describe('what proto3 allows on the wire', () => {
  test('unknown fields of every wire type are passed over', () => {
    const unknown = bytes(
      [0xf8, 0x07, 0x2a],
      [0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8],
      [0xfa, 0x07, 2, 9, 9],
      [0xfd, 0x07, 1, 2, 3, 4],
    );
    const known = PutRequest.encode(PutRequest.create({ key: bytes(1), prevKv: true }));
    expect(PutRequest.decode(bytes([...unknown], [...known], [...unknown]))).toEqual(PutRequest.decode(known));
  });

  test('a known field number with another wire type is an unknown field', () => {
    expect(PutRequest.decode(bytes(0x08, 5))).toEqual(PutRequest.create());
  });

  test('lists of numbers are read packed, one by one, and mixed', () => {
    expect(WatchCreateRequest.decode(bytes([0x2a, 2, 0, 1], [0x28, 1], [0x2a, 0])).filters).toEqual([0, 1, 1]);
  });

  test('the last of several scalars wins; parts of a message are put together', () => {
    expect(RangeRequest.decode(bytes([0x18, 1], [0x18, 2])).limit).toBe(2);
    const header = PutResponse.decode(bytes([0x0a, 2, 0x18, 7], [0x0a, 2, 0x20, 3])).header;
    expect(header).toEqual(ResponseHeader.create({ revision: 7, raftTerm: 3 }));
  });

  test('of a oneof only the last case stays, even when it is zero', () => {
    const compare = Compare.decode(bytes([0x20, 5], [0x40, 0]));
    expect(compare.targetUnion).toEqual({ case: 'lease', value: 0n });
    expect(Compare.encode(compare)).toEqual(bytes(0x40, 0));
  });

  test('booleans and small numbers may come in long form', () => {
    expect(PutRequest.decode(bytes(0x20, 0x81, 0x80, 0x80, 0x80, 0x00)).prevKv).toBe(true);
    expect(PutRequest.decode(bytes(0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)).prevKv).toBe(true);
    expect(PutRequest.decode(bytes(0x20, 0x80, 0x00)).prevKv).toBe(false);
    expect(RangeRequest.decode(bytes(0x98, 0x80, 0x80, 0x80, 0x00, 0x81, 0x80, 0x80, 0x00)).limit).toBe(1);
  });
});

describe('what is not a message', () => {
  test.each([
    ['a group', bytes(0x0b), 'wire type 3'],
    ['the end of a group', bytes(0x0c), 'wire type 4'],
    ['wire type 7', bytes(0x0f), 'wire type 7'],
    ['field number 0', bytes(0x02, 0x00), 'field number 0'],
    ['a field number beyond 29 bits', bytes(0x80, 0x80, 0x80, 0x80, 0x10, 0x00), 'field number'],
    ['an unfinished tag', bytes(0x80), 'end of the message'],
    ['an unfinished number', bytes(0x18, 0x80), 'end of the message'],
    ['eleven bytes of varint', bytes(0x18, Array<number>(10).fill(0x80), 0x00), 'more than ten bytes'],
    ['a length that reaches past the end', bytes(0x0a, 5, 1, 2), 'reaches past'],
    ['a length beyond 32 bits', bytes(0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), 'beyond 32 bits'],
    ['half a fixed64', bytes(0xf9, 0x07, 1, 2, 3), 'reaches past'],
  ])('%s', (_, malformed, reason) => {
    expect(() => RangeRequest.decode(malformed)).toThrow(ProtobufError);
    expect(() => RangeRequest.decode(malformed)).toThrow(reason);
  });

  test('a nested message may not reach past the one around it', () => {
    expect(() => PutResponse.decode(bytes(0x0a, 2, 0x18, 0x80, 0x01))).toThrow(ProtobufError);
  });

  test('a string must be UTF-8, short or long; what comes back is what went in', () => {
    expect(() => Member.decode(bytes(0x12, 2, 0xc3, 0x28))).toThrow(ProtobufError);
    expect(() => Member.decode(bytes(0x12, 40, Array<number>(39).fill(0x61), 0xff))).toThrow(ProtobufError);
    for (const name of ['', 'ascii', 'é', '漢字', '😀 and 😀', '\ufeffmark', 'a'.repeat(300)]) {
      expect(Member.decode(Member.encode(Member.create({ name }))).name).toBe(name);
    }
  });

  test('a lone surrogate is written as the replacement character', () => {
    for (const [name, written] of [
      ['\ud800', '\ufffd'],
      ['a\udc00b', 'a\ufffdb'],
      ['\ud800\ud800\udc00', '\ufffd\ud800\udc00'],
    ] as const) {
      expect(Member.decode(Member.encode(Member.create({ name }))).name).toBe(written);
    }
  });

  test('an error says where', () => {
    const error = errorOf(() => RangeRequest.decode(bytes([0x0a, 1, 1], [0x12, 9, 9])));
    expect(error).toMatchObject({ code: 'MalformedMessage', offset: 5 });
  });

  test(`messages are nested at most ${MAX_NESTING} deep`, () => {
    expect(() => TxnRequest.decode(TxnRequest.encode(nestedTxn(MAX_NESTING / 2)))).not.toThrow();
    expect(() => TxnRequest.decode(TxnRequest.encode(nestedTxn(MAX_NESTING / 2 + 1)))).toThrow(
      `deeper than ${MAX_NESTING}`,
    );
  });

  test('random bytes give a message or a ProtobufError, nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...subjects), fc.uint8Array({ maxLength: 300 }), ({ ours }, noise) => {
        decodeOrProtobufError(() => ours.decode(noise));
      }),
      { numRuns: 5000 },
    );
  });

  test('a message with bytes changed, cut or doubled gives a message or a ProtobufError, nothing else', () => {
    const damaged = fc.constantFrom(...subjects).chain(({ ours, arbitrary }) =>
      fc.record({
        ours: fc.constant(ours),
        encoded: arbitrary.map((message) => ours.encode(message)),
        at: fc.nat(),
        flip: fc.integer({ min: 1, max: 255 }),
        cut: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(damaged, ({ ours, encoded, at, flip, cut }) => {
        if (encoded.length === 0) return;
        const flipped = encoded.slice();
        flipped[at % flipped.length] = (flipped[at % flipped.length] ?? 0) ^ flip;
        decodeOrProtobufError(() => ours.decode(flipped));
        decodeOrProtobufError(() => ours.decode(encoded.subarray(0, cut % encoded.length)));
        decodeOrProtobufError(() => ours.decode(bytes([...encoded], [...encoded])));
      }),
      { numRuns: 3000 },
    );
  });
});

describe("the caller's memory", () => {
  test('decoded bytes are views of it, plain Uint8Arrays even in a Buffer', () => {
    const buffer = Buffer.from(PutRequest.encode(PutRequest.create({ key: bytes(1, 2), value: bytes(3) })));
    const put = PutRequest.decode(buffer);
    expect(put.key.constructor).toBe(Uint8Array);
    expect(put.key.buffer).toBe(buffer.buffer);
    buffer[2] = 9;
    expect([...put.key]).toEqual([9, 2]);
  });

  test('a message is written where the caller wants it', () => {
    const put = PutRequest.create({ key: bytes(1, 2), value: bytes(3), lease: 4n });
    const room = new Uint8Array(5 + PutRequest.size(put));
    expect(PutRequest.write(put, room, 5)).toBe(room.length);
    expect(PutRequest.decode(room.subarray(5))).toEqual(put);
  });

  test('messages encoded one after the other do not touch each other', () => {
    const sizes = Array.from({ length: 300 }, (_, i) => (i * 37) % 1100);
    const encoded = sizes.map((size, i) =>
      PutRequest.encode(PutRequest.create({ value: new Uint8Array(size).fill(i) })),
    );
    encoded.forEach((each, i) => expect(PutRequest.decode(each).value).toEqual(new Uint8Array(sizes[i] ?? 0).fill(i)));
  });

  test('too little room is an error, for every length that is too short', () => {
    const request: RequestOp = {
      request: { case: 'requestPut', value: PutRequest.create({ key: bytes(1), prevKv: true }) },
    };
    const txn = TxnRequest.create({ success: [request], failure: [request] });
    for (let length = 0; length < TxnRequest.size(txn); length++) {
      expect(() => TxnRequest.write(txn, new Uint8Array(length), 0)).toThrow(RangeError);
    }
  });
});

function nestedTxn(levels: number): TxnRequest {
  let txn = TxnRequest.create();
  for (let i = 0; i < levels; i++)
    txn = TxnRequest.create({ success: [{ request: { case: 'requestTxn', value: txn } }] });
  return txn;
}

function decodeOrProtobufError(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
  }
}

function errorOf(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}
