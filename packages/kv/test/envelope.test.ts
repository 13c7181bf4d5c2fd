/** What stands in the log comes back as it was put there, and what is no command is refused with a typed error. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StateMachineError } from '../src/errors.ts';
import { CommandKind, type Envelope, EnvelopeReader, Envelopes } from '../src/machine/envelope.ts';

const kinds: Record<keyof typeof CommandKind, CommandKind> = CommandKind;
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const origin = fc.record({ member: u64, incarnation: u64 });
const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const payload = fc.uint8Array({ maxLength: 40 });

describe.each(Object.entries(kinds))('a command of kind %s', (_, kind) => {
  const command = fc
    .record({ origin, sequence, payload })
    .map((of) => ({ of, bytes: new Envelopes(of.origin).wrap(of.sequence, kind, of.payload) }));

  test('comes back as it was, whoever wrote the one before', () => {
    const reader = new EnvelopeReader();
    fc.assert(
      fc.property(command, ({ of, bytes }) => {
        expect(reader.open(bytes)).toEqual({ ...of, kind });
        expect(reader.open(bytes).origin).toBe(reader.open(bytes).origin);
      }),
    );
  });

  test('is refused when its envelope is cut off, wherever that is', () => {
    fc.assert(
      fc.property(command, ({ of, bytes }) => {
        const envelope = bytes.length - of.payload.length;
        for (let length = 0; length < envelope; length++)
          expect(() => new EnvelopeReader().open(bytes.subarray(0, length))).toThrow(StateMachineError);
      }),
      { numRuns: 20 },
    );
  });

  test('is refused with any bit of its envelope flipped, or is another command, as what is written then', () => {
    fc.assert(
      fc.property(command, ({ of, bytes }) => {
        const envelope = bytes.length - of.payload.length;
        for (let bit = 0; bit < 8 * envelope; bit++) {
          const flipped = bytes.slice();
          flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          const read = openOrRefused(flipped);
          if (read === null) continue;
          const again = new Envelopes(read.origin).wrap(read.sequence, read.kind, read.payload);
          expect([...again]).toEqual([...flipped]);
        }
      }),
      { numRuns: 20 },
    );
  });
});

test('rubbish is refused', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void openOrRefused(bytes)));
});

/** Null when it was refused as it should be. */
function openOrRefused(bytes: Uint8Array): Envelope | null {
  try {
    return new EnvelopeReader().open(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(StateMachineError);
    return null;
  }
}
