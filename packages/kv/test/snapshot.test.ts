import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertLong } from '../../../test-support/long-property.ts';
import { writeU32 } from '../src/byte-stream.ts';
import { crc32c } from '../src/crc32c.ts';
import { StateMachineError } from '../src/errors.ts';
import { KvStateMachine } from '../src/state-machine.ts';
import { MachineDriver, origin, restore } from './support/machine-driver.ts';
import { deleteRange, put, txn } from './support/requests.ts';

const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** Two restarts' worth of history: keys, tombstones, values of all sizes, a compaction. */
function filled(): MachineDriver {
  const driver = new MachineDriver();
  for (let i = 0; i < 3_000; i++) {
    driver.put({ key: latin1(`key${i % 1_000}`), value: new Uint8Array(i % 1_200).fill(i) });
  }
  driver.put({ key: latin1('large'), value: new Uint8Array(1_000_000).fill(3) });
  driver.deleteRange({ key: latin1('key5'), rangeEnd: latin1('key6') });
  driver.compact(1_500);
  driver.put({ key: latin1('key55'), value: latin1('again') });
  return driver;
}

describe('a snapshot', () => {
  it('is the same on every server that has applied the same commands, however far each has come with freeing', () => {
    const command = fc.oneof(
      put.map((request) => (driver: MachineDriver) => driver.put(request)),
      deleteRange.map((request) => (driver: MachineDriver) => driver.deleteRange(request)),
      txn.map((request) => (driver: MachineDriver) => driver.txn(request)),
      fc.integer({ min: 0, max: 25 }).map((revision) => (driver: MachineDriver) => driver.compact(revision)),
    );
    assertLong(
      fc.property(fc.array(command, { maxLength: 60 }), fc.nat({ max: 59 }), (commands, restartAt) => {
        const lazy = new MachineDriver({ reclaimedPerCommand: 0, unitsPerSlice: 1 });
        const eager = new MachineDriver({ reclaimedPerCommand: 1000, origin: null });
        for (const [i, run] of commands.entries()) {
          run(lazy);
          run(eager);
          if (i === restartAt) eager.restart();
        }
        expect(Buffer.concat(eager.snapshot()).equals(Buffer.concat(lazy.snapshot()))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('restores every kept version, and goes on as if nothing had been', () => {
    const driver = filled();
    const slices = driver.snapshot();
    expect(slices.length).toBeGreaterThan(10);
    expect(slices.every((slice) => slice.length > 0 && slice.length < 1_400_000)).toBe(true);
    const restored = new MachineDriver();
    restore(restored.machine, slices, driver.index + 5);
    expect(restored.machine.appliedIndex()).toBe(driver.index + 5);
    while (driver.machine.reclaim(1_000));
    const { valueBytesAllocated: _, ...statistics } = driver.machine.store.statistics();
    expect(restored.machine.store.statistics()).toMatchObject(statistics);
    expect(Buffer.concat(restored.snapshot()).equals(Buffer.concat(slices))).toBe(true);
  });

  it('shows the state at its opening, whatever is written, compacted and freed while it is read', () => {
    const driver = filled();
    const expected = Buffer.concat(driver.snapshot());
    const source = driver.machine.openSnapshot();
    const slices: Uint8Array[] = [];
    for (let slice = source.next(); slice !== null; slice = source.next()) {
      slices.push(slice);
      driver.put({ key: latin1(`key${slices.length}`), value: latin1('later') });
      driver.put({ key: latin1(`new${slices.length}`) });
      driver.compact(driver.machine.store.revision);
      while (driver.machine.reclaim(1_000));
    }
    source.close();
    expect(Buffer.concat(slices).equals(expected)).toBe(true);
  });
});

describe('a damaged snapshot', () => {
  const slices = filled().snapshot();
  const load = (damaged: readonly Uint8Array[], index = 1_000_000): void => {
    restore(new KvStateMachine({ origin }), damaged, index);
  };
  const refusal = (code: string, message: RegExp): unknown =>
    expect.objectContaining({ name: 'StateMachineError', code, message: expect.stringMatching(message) as unknown });

  it('is refused wherever a bit is flipped', () => {
    fc.assert(
      fc.property(fc.nat({ max: slices.length - 1 }), fc.nat(), fc.nat({ max: 7 }), (which, where, bit) => {
        const damaged = slices.map((slice) => slice.slice());
        const slice = damaged[which] as Uint8Array;
        const at = where % slice.length;
        slice[at] = (slice[at] as number) ^ (1 << bit);
        expect(() => load(damaged)).toThrow(StateMachineError);
      }),
      { numRuns: 100 },
    );
  });

  it('is refused with any bit of any slice flipped, and cut off anywhere: all of a small one are tried', () => {
    const driver = new MachineDriver();
    driver.put({ key: latin1('a'), value: latin1('value') });
    driver.put({ key: latin1('b') });
    driver.deleteRange({ key: latin1('a') });
    const small = driver.snapshot();
    load(small);
    let tried = 0;
    for (const [which, slice] of small.entries()) {
      for (let length = 0; length < slice.length; length++)
        expect(() => load(small.with(which, slice.subarray(0, length)))).toThrow(StateMachineError);
      for (let bit = 0; bit < 8 * slice.length; bit++) {
        const flipped = slice.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(() => load(small.with(which, flipped)), `bit ${bit} of slice ${which}`).toThrow(StateMachineError);
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(1000);
  });

  it('is refused when a slice is missing, doubled or cut', () => {
    for (let i = 0; i < slices.length; i++) {
      expect(() => load(slices.toSpliced(i, 1))).toThrow(refusal('CorruptSnapshot', /./));
    }
    expect(() => load(slices.toSpliced(3, 0, slices[3] as Uint8Array))).toThrow(refusal('CorruptSnapshot', /block 3/));
    expect(() => load(slices.with(4, (slices[4] as Uint8Array).subarray(0, 100)))).toThrow(
      refusal('CorruptSnapshot', /another length/),
    );
    expect(() => load([])).toThrow(refusal('CorruptSnapshot', /no end/));
  });

  it('leaves the state as it was', () => {
    const driver = new MachineDriver();
    driver.put({ key: latin1('a') });
    expect(() => restore(driver.machine, slices.slice(0, -1), 9)).toThrow(StateMachineError);
    expect(driver.machine.store.get('a', 2)).not.toBeNull();
    expect(driver.machine.appliedIndex()).toBe(1);
  });

  it('of an earlier state than it says is refused', () => {
    expect(() => load(slices, 5)).toThrow(refusal('CorruptSnapshot', /though it was taken at 5/));
  });

  it('with a section that is required and not known is refused, one that is not required is passed over', () => {
    const at = slices.length - 1;
    const foreign = (flags: number): Uint8Array[] => {
      const block = reseal((slices[0] as Uint8Array).slice(), (bytes) => {
        bytes[0] = 99;
        bytes[2] = flags;
        writeU32(bytes, 4, at);
      });
      const end = reseal((slices[at] as Uint8Array).slice(), (bytes) => writeU32(bytes, 4, at + 1));
      return [...slices.slice(0, at), block, end];
    };
    expect(() => load(foreign(3))).toThrow(refusal('UnsupportedSnapshot', /section 99 in version 1/));
    load(foreign(2));
  });

  it('with a later version of a section is refused', () => {
    const later = reseal((slices[0] as Uint8Array).slice(), (bytes) => {
      bytes[1] = 2;
    });
    expect(() => load(slices.with(0, later))).toThrow(refusal('UnsupportedSnapshot', /section 1 in version 2/));
  });
});

/** Changes a block's header and makes its checksum right again. */
function reseal(block: Uint8Array, change: (bytes: Uint8Array) => void): Uint8Array {
  change(block);
  writeU32(block, 12, crc32c(block, 16, block.length, crc32c(block, 0, 12)));
  return block;
}
