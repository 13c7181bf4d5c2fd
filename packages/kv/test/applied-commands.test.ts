import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../src/byte-stream.ts';
import { AppliedCommands, windowSize } from '../src/machine/applied-commands.ts';

const origin = { member: 7n, incarnation: 8n };

function fail(what: string): never {
  throw new Error(what);
}

function written(commands: AppliedCommands): Uint8Array {
  const to = new ByteWriter(16);
  commands.write(to);
  return to.view().slice();
}

/** Numbers a few apart, so that runs of equal bytes begin and end anywhere. */
const numbers = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 400 }).map((gaps) => {
  let last = 0;
  return gaps.map((gap) => (last += gap > 60 ? gap * 13 : gap > 20 ? 1 : gap));
});

it('a window comes back from a snapshot as it was, whatever it holds', () => {
  fc.assert(
    fc.property(numbers, (applied) => {
      const commands = new AppliedCommands();
      for (const [at, number] of applied.entries()) commands.add(origin, number, at + 1);
      const bytes = written(commands);
      const restored = AppliedCommands.read(new ByteReader(bytes, fail));
      const last = applied.at(-1) ?? 0;
      for (let number = 1; number <= last + 8; number++) {
        if (restored.has(origin, number) !== commands.has(origin, number)) throw new Error(`${number} differs`);
      }
      expect(restored.highest(origin)).toBe(last);
      expect(written(restored)).toEqual(bytes);
    }),
    { numRuns: 200 },
  );
});

it('takes a few bytes for a window that is full, or empty but for its beginning', () => {
  const commands = new AppliedCommands();
  for (let number = 1; number <= 100; number++) commands.add(origin, number, number);
  expect(written(commands).length).toBeLessThan(40);
  for (let number = 101; number <= 2 * windowSize; number++) commands.add(origin, number, number);
  expect(written(commands).length).toBeLessThan(40);
});
