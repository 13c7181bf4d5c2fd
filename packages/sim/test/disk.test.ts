import type { DiskError, DiskOperation } from '@quorate/runtime';
import { describe, expect, test } from 'vitest';
import {
  type Damage,
  type DamagePolicy,
  type DiskFaults,
  healthyDisk,
  RandomStream,
  VirtualDisk,
  type VirtualDiskOptions,
  Volume,
} from '@quorate/sim';
import { VirtualTime } from './support/virtual-time.ts';

const everything: DamagePolicy = { mayDamage: () => true };

class Bench {
  readonly time = new VirtualTime();
  readonly disk: VirtualDisk;
  readonly damage: Damage[] = [];

  constructor(options: VirtualDiskOptions = {}, volume = Volume.empty(), seed = 1) {
    this.disk = new VirtualDisk(this.time, new RandomStream(seed), volume, {
      onDamage: (damage) => this.damage.push(damage),
      ...options,
    });
  }

  do(...operations: DiskOperation[]): string | null {
    return this.time.wait<DiskError | null>((done) => this.disk.submit(operations, done))?.code ?? null;
  }

  read(path: string, offset = 0, length = 1 << 20): Uint8Array | string {
    return this.time.wait((done) =>
      this.disk.read(path, offset, length, (error, bytes) => done(error === null ? bytes : error.code)),
    );
  }
}

const ill = (faults: Partial<DiskFaults>): DiskFaults => ({ ...healthyDisk, ...faults });

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function write(path: string, offset: number, bytes: Uint8Array): DiskOperation {
  return { op: 'write', path, offset, bytes };
}

const sync = (path: string): DiskOperation => ({ op: 'sync', path });
const syncRoot: DiskOperation = { op: 'syncDirectory', path: '' };

describe('a healthy disk', () => {
  test('reads what was written, across pages, with zeros where nothing was', () => {
    const bench = new Bench();
    expect(bench.do(write('a', 4000, filled(5000, 7)))).toBeNull();
    const bytes = bench.read('a');
    expect(bytes).toEqual(new Uint8Array([...filled(4000, 0), ...filled(5000, 7)]));
    expect(bench.read('a', 8990)).toEqual(filled(10, 7));
    expect(bench.read('a', 9000)).toEqual(filled(0, 0));
    expect(bench.read('b')).toBe('ENOENT');
  });

  test('answers neither queue from inside the call, and each in order', () => {
    const bench = new Bench();
    const order: string[] = [];
    bench.disk.submit([write('a', 0, filled(1, 1)), sync('a')], () => order.push('log 1'));
    bench.disk.submit([write('a', 1, filled(1, 1))], () => order.push('log 2'));
    bench.disk.background.size('a', () => order.push('background'));
    expect(order).toEqual([]);
    bench.time.run();
    expect(order.filter((each) => each !== 'background')).toEqual(['log 1', 'log 2']);
    expect(order).toContain('background');
  });

  test('a slow sync of the log does not keep the background waiting', () => {
    const bench = new Bench({ timing: { sync: [1_000_000, 1_000_000], access: [10, 10] } });
    let size = -1;
    bench.disk.submit([write('a', 0, filled(3, 1)), sync('a')], () => undefined);
    bench.disk.background.size('a', (_, bytes) => (size = bytes));
    bench.time.run(100);
    expect(size).toBe(3);
  });

  test('a list stops at its first failure', () => {
    const bench = new Bench();
    expect(bench.do(write('none/a', 0, filled(1, 1)), write('b', 0, filled(1, 1)))).toBe('ENOENT');
    expect(bench.read('b')).toBe('ENOENT');
  });

  test('preparing a large file copies nothing', () => {
    const bench = new Bench();
    expect(bench.do({ op: 'allocate', path: 'a', length: 64 << 20 }, sync('a'), syncRoot)).toBeNull();
    expect(bench.do(write('a', 12 << 20, filled(100, 9)), sync('a'))).toBeNull();
    const left = bench.disk.crash('power');
    const again = new Bench({}, left);
    expect(again.read('a', (12 << 20) - 1, 3)).toEqual(new Uint8Array([0, 9, 9]));
    expect(left.file('a')?.visible.length).toBe(64 << 20);
  });

  test('cuts and growth leave zeros, not what stood there', () => {
    const bench = new Bench();
    bench.do(write('a', 0, filled(6000, 5)), sync('a'), { op: 'truncate', path: 'a', length: 100 });
    bench.do({ op: 'allocate', path: 'a', length: 8000 }, sync('a'), syncRoot);
    const again = new Bench({}, bench.disk.crash('power'));
    expect(again.read('a')).toEqual(new Uint8Array([...filled(100, 5), ...filled(7900, 0)]));
  });
});

describe('a power cut', () => {
  function afterCut(seed: number, prepare: (bench: Bench) => void): Map<string, Uint8Array> {
    const bench = new Bench({}, Volume.empty(), seed);
    prepare(bench);
    return bench.disk.crash('power').contents();
  }

  test('leaves what was synced, whatever chance says', () => {
    for (let seed = 0; seed < 10; seed++) {
      const left = afterCut(seed, (bench) => {
        bench.do(write('a', 0, filled(5000, 1)), sync('a'), syncRoot);
      });
      expect(left.get('a')).toEqual(filled(5000, 1));
    }
  });

  test('keeps, loses or tears each unsynced write at borders of sectors', () => {
    const fates = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const left = afterCut(seed, (bench) => {
        bench.do(write('a', 0, filled(4096, 1)), sync('a'), syncRoot);
        bench.do(write('a', 0, filled(2048, 2)), write('a', 2048, filled(2048, 3)));
      });
      const bytes = left.get('a') ?? filled(0, 0);
      const sectors = Array.from({ length: 8 }, (_, at) => new Set(bytes.subarray(at * 512, (at + 1) * 512)));
      expect(sectors.every((values) => values.size === 1)).toBe(true);
      fates.add(sectors.map((values) => [...values][0]).join(''));
    }
    expect(fates).toContain('11111111');
    expect(fates).toContain('22223333');
    expect(fates, 'the later write alone').toContain('11113333');
    const torn = [...fates].filter((fate) => /^(2+1+|1+2[12]*)(1111|3333)$/.test(fate));
    expect(torn.length, 'torn in different places').toBeGreaterThan(5);
  });

  test('may lose files and renames whose directory was not synced, and never those whose was', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const left = afterCut(seed, (bench) => {
        bench.do({ op: 'makeDirectory', path: 'd' }, syncRoot);
        bench.do(write('d/firm', 0, filled(1, 1)), sync('d/firm'), { op: 'syncDirectory', path: 'd' });
        bench.do(write('d/loose', 0, filled(1, 1)), sync('d/loose'), { op: 'rename', from: 'd/firm', to: 'd/moved' });
      });
      expect(left.has('d/firm')).not.toBe(left.has('d/moved'));
      seen.add([...left.keys()].sort().join());
    }
    expect([...seen].sort()).toEqual(['d/firm', 'd/firm,d/loose', 'd/loose,d/moved', 'd/moved']);
  });

  test('takes what was in a directory that was never made durable', () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 30; seed++) {
      const left = afterCut(seed, (bench) => {
        bench.do({ op: 'makeDirectory', path: 'd' }, write('d/a', 0, filled(1, 1)), sync('d/a'));
        bench.do({ op: 'syncDirectory', path: 'd' });
      });
      seen.add(left.size);
    }
    expect(seen).toEqual(new Set([0, 1]));
  });

  test('is not the end of a process: that loses nothing that was written, and makes nothing durable', () => {
    const lost = new Set<boolean>();
    for (let seed = 0; seed < 30; seed++) {
      const first = new Bench({}, Volume.empty(), seed);
      first.do(write('a', 0, filled(10, 4)));
      const second = new Bench({}, first.disk.crash('process'), seed);
      expect(second.read('a')).toEqual(filled(10, 4));
      lost.add(second.disk.crash('power').contents().get('a')?.[0] !== 4);
    }
    expect(lost).toEqual(new Set([true, false]));
  });

  test('nothing is answered afterwards', () => {
    const bench = new Bench();
    let answered = false;
    bench.disk.submit([write('a', 0, filled(1, 1)), sync('a')], () => (answered = true));
    bench.disk.crash('power');
    bench.time.run();
    expect(answered).toBe(false);
  });
});

describe('a full disk', () => {
  test('refuses what does not fit, and takes it again when there is room', () => {
    const bench = new Bench({}, Volume.empty(10_000));
    bench.disk.volume.others = 5000;
    expect(bench.do(write('a', 0, filled(4000, 1)))).toBeNull();
    expect(bench.do(write('b', 0, filled(4000, 1)))).toBe('ENOSPC');
    expect(bench.do(write('a', 0, filled(4000, 2))), 'in place').toBeNull();
    bench.disk.volume.others = 0;
    expect(bench.do(write('b', 0, filled(4000, 1)))).toBeNull();
    expect(bench.time.wait((done) => bench.disk.free((_, bytes) => done(bytes)))).toBe(2000);
    expect(bench.do({ op: 'remove', path: 'a' }, { op: 'allocate', path: 'c', length: 6000 })).toBeNull();
  });
});

describe('faults', () => {
  test('a failed sync leaves what it should have written clean: seen, and gone after a power cut', () => {
    const gone = new Set<boolean>();
    for (let seed = 0; seed < 30; seed++) {
      const bench = new Bench({ faults: ill({ syncError: 1000 }) }, Volume.of(new Map([['a', filled(512, 1)]])), seed);
      expect(bench.do(write('a', 0, filled(512, 2)), sync('a'))).toBe('EIO');
      bench.disk.setFaults(healthyDisk);
      expect(bench.do(sync('a')), 'the next one says that all is well').toBeNull();
      expect(bench.read('a')).toEqual(filled(512, 2));
      gone.add(bench.disk.crash('power').contents().get('a')?.[0] === 1);
    }
    expect(gone).toEqual(new Set([true, false]));
  });

  test('a failed write writes nothing, and a failed read reads again', () => {
    const bench = new Bench({ faults: ill({ writeError: 1000 }) }, Volume.of(new Map([['a', filled(3, 1)]])));
    expect(bench.do(write('a', 0, filled(3, 2)))).toBe('EIO');
    bench.disk.setFaults(ill({ readError: 1000 }));
    expect(bench.read('a')).toBe('EIO');
    bench.disk.setFaults(healthyDisk);
    expect(bench.read('a')).toEqual(filled(3, 1));
  });

  test('rot stays where it is, is told, and needs permission', () => {
    const volume = Volume.of(new Map([['a', filled(9000, 1)]]));
    const bench = new Bench({ policy: everything }, volume);
    while (!bench.disk.rot());
    const [damage] = bench.damage;
    const bytes = bench.read('a') as Uint8Array;
    expect(bytes).toEqual(bench.read('a'));
    const { offset = 0, length = 0 } = damage ?? {};
    expect(damage).toMatchObject({ kind: 'bitRot', path: 'a' });
    expect(bytes.subarray(offset, offset + length)).not.toEqual(filled(length, 1));
    expect(bytes.subarray(0, offset)).toEqual(filled(offset, 1));
    expect(bytes.subarray(offset + length)).toEqual(filled(9000 - offset - length, 1));

    const safe = new Bench({}, Volume.of(new Map([['a', filled(9000, 1)]])));
    for (let tries = 0; tries < 100; tries++) expect(safe.disk.rot()).toBe(false);
    expect(safe.read('a')).toEqual(filled(9000, 1));
  });

  test('a lost write shows once a later one is durable, not before', () => {
    const volume = Volume.of(new Map([['a', filled(4096, 0)]]));
    const bench = new Bench({ policy: everything, faults: ill({ lostWrite: 1000 }) }, volume);
    bench.do(write('a', 0, filled(100, 1)), sync('a'));
    bench.disk.setFaults(healthyDisk);
    expect(bench.read('a', 0, 100)).toEqual(filled(100, 1));
    bench.do(write('a', 100, filled(100, 2)), sync('a'));
    expect(bench.read('a', 0, 200)).toEqual(new Uint8Array([...filled(100, 0), ...filled(100, 2)]));
    expect(bench.damage).toEqual([{ kind: 'lostWrite', path: 'a', offset: 0, length: 100 }]);
  });

  test('a misdirected write spoils two places', () => {
    let shown = 0;
    for (let seed = 0; seed < 50; seed++) {
      const volume = Volume.of(new Map([['a', filled(8192, 9)]]));
      const bench = new Bench({ policy: everything, faults: ill({ misdirectedWrite: 1000 }) }, volume, seed);
      bench.do(write('a', 4096, filled(512, 1)), sync('a'));
      bench.disk.setFaults(healthyDisk);
      bench.do(write('a', 4608, filled(512, 2)), sync('a'));
      if (bench.damage.length === 0) continue;
      shown++;
      const [target, landing] = bench.damage;
      expect(bench.read('a', target?.offset, 512)).toEqual(filled(512, 9));
      expect(bench.read('a', landing?.offset, 512)).toEqual(filled(512, 1));
    }
    expect(shown).toBeGreaterThan(10);
  });

  test('a misdirected read is wrong once', () => {
    const bytes = new Uint8Array([...filled(512, 1), ...filled(512, 2), ...filled(512, 3)]);
    const bench = new Bench(
      { policy: everything, faults: ill({ misdirectedRead: 1000 }) },
      Volume.of(new Map([['a', bytes]])),
    );
    const reads = Array.from({ length: 20 }, () => bench.read('a'));
    expect(reads.some((read) => !equal(read, bytes))).toBe(true);
    bench.disk.setFaults(healthyDisk);
    expect(bench.read('a')).toEqual(bytes);
  });

  test('what is stuck goes on when the disk is well again', () => {
    const bench = new Bench({ faults: ill({ stuck: 1000 }) });
    let answered = false;
    bench.disk.submit([write('a', 0, filled(1, 1)), sync('a')], () => (answered = true));
    bench.time.run(10_000_000);
    expect(answered).toBe(false);
    bench.disk.setFaults(healthyDisk);
    bench.time.run();
    expect(answered).toBe(true);
  });

  test('a stalled disk answers nothing before its time', () => {
    const bench = new Bench();
    let answeredAt = 0;
    bench.disk.submit([write('a', 0, filled(1, 1)), sync('a')], () => (answeredAt = bench.time.now()));
    bench.disk.stall(2_000_000);
    bench.time.run();
    expect(answeredAt).toBeGreaterThanOrEqual(2_000_000);
  });
});

function equal(a: Uint8Array | string, b: Uint8Array): boolean {
  return typeof a !== 'string' && a.length === b.length && a.every((byte, at) => byte === b[at]);
}
