import { describe, expect, it } from 'vitest';
import {
  CompactionRequest,
  DeleteRangeRequest,
  Member,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from '../src/api/index.ts';
import { StateMachineError } from '../src/errors.ts';
import { maxOrigins, windowSize } from '../src/machine/applied-commands.ts';
import { CommandKind, Envelopes } from '../src/machine/envelope.ts';
import { continueApply, KvStateMachine } from '../src/state-machine.ts';
import { MachineDriver, origin, readAll, restore } from './support/machine-driver.ts';

const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const everything = { key: latin1('\0'), rangeEnd: latin1('\0') };
const put = (key: string, value = ''): Uint8Array =>
  PutRequest.encode(PutRequest.create({ key: latin1(key), value: latin1(value) }));

describe('a command', () => {
  const envelopes = new Envelopes(origin);

  it('takes effect once, however often it comes', () => {
    const driver = new MachineDriver();
    const command = envelopes.wrap(1, CommandKind.put, put('a'));
    expect(driver.apply(command).kind).toBe('done');
    expect(driver.apply(command)).toEqual({ kind: 'duplicate' });
    driver.restart();
    expect(driver.apply(command)).toEqual({ kind: 'duplicate' });
    expect(driver.machine.store.revision).toBe(2);
  });

  it('may come out of order within the window, and counts as applied when it is older', () => {
    const driver = new MachineDriver();
    const kinds = (sequences: number[]) =>
      sequences.map((sequence) => driver.apply(envelopes.wrap(sequence, CommandKind.put, put('a'))).kind);
    expect(kinds([5, 3, 5, 4, 3])).toEqual(['done', 'done', 'duplicate', 'done', 'duplicate']);
    const far = 10 + windowSize;
    expect(kinds([far, far - windowSize + 1, far - windowSize, 5, far])).toEqual([
      'done',
      'done',
      'duplicate',
      'duplicate',
      'duplicate',
    ]);
    expect(driver.machine.highestSequence(origin)).toBe(far);
    // The window is a ring: the place of number n is that of n − windowSize, which was applied.
    expect(kinds([far + windowSize - 1, far + windowSize + 1, far + windowSize])).toEqual(['done', 'done', 'done']);
  });

  it('is numbered by each origin for itself, and a silent origin is forgotten last', () => {
    const driver = new MachineDriver();
    const from = (member: number, sequence: number) =>
      driver.apply(
        new Envelopes({ member: BigInt(member), incarnation: 1n }).wrap(sequence, CommandKind.put, put('a')),
      );
    for (let member = 0; member < maxOrigins; member++) expect(from(member, 1).kind).toBe('done');
    expect(from(0, 2).kind).toBe('done');
    // One more pushes out member 1, which has been silent longest.
    expect(from(maxOrigins, 1).kind).toBe('done');
    expect(from(0, 1).kind).toBe('duplicate');
    expect(from(2, 1).kind).toBe('duplicate');
    expect(from(1, 1).kind).toBe('done');
  });

  it('that failed is remembered as well', () => {
    const driver = new MachineDriver();
    const request = PutRequest.encode(PutRequest.create({ key: latin1('a'), ignoreValue: true }));
    const command = envelopes.wrap(1, CommandKind.put, request);
    expect(driver.apply(command)).toEqual({ kind: 'failed', error: 'keyNotFound' });
    driver.apply(envelopes.wrap(2, CommandKind.put, put('a')));
    expect(driver.apply(command)).toEqual({ kind: 'duplicate' });
  });

  it.each([
    ['another format', (command: Uint8Array) => command.with(0, 2), 'UnsupportedCommand'],
    ['a session', (command: Uint8Array) => command.with(1, 1), 'UnsupportedCommand'],
    ['a user', (command: Uint8Array) => command.with(1, 2), 'UnsupportedCommand'],
    ['an unknown flag', (command: Uint8Array) => command.with(1, 128), 'UnsupportedCommand'],
    ['an unknown kind', (command: Uint8Array) => command.with(26, 99), 'UnsupportedCommand'],
    ['no sequence', (command: Uint8Array) => command.fill(0, 18, 26), 'CorruptCommand'],
    ['no envelope', (command: Uint8Array) => command.subarray(0, 20), 'CorruptCommand'],
    ['nothing', () => new Uint8Array(), 'UnsupportedCommand'],
    ['a request cut short', (command: Uint8Array) => command.subarray(0, -1), 'CorruptCommand'],
  ])('with %s stops the server', (_what, damage, code) => {
    const machine = new KvStateMachine();
    const data = damage(envelopes.wrap(7, CommandKind.put, put('key')));
    expect(() => machine.apply({ index: 1, data })).toThrow(
      expect.objectContaining({ name: 'StateMachineError', code }),
    );
    expect(machine.store.revision).toBe(1);
  });

  it('of another server has its effect, but no answer is put together', () => {
    const driver = new MachineDriver({ origin: { member: 1n, incarnation: 1n } });
    driver.put({ key: latin1('a'), value: latin1('1') });
    const request = DeleteRangeRequest.create({ ...everything, prevKv: true });
    const result = driver.command(CommandKind.deleteRange, DeleteRangeRequest, request);
    expect(result).toEqual({ kind: 'done', revision: 3, body: new Uint8Array() });
  });

  it('whose answer would be too long takes effect all the same, and says so', () => {
    const driver = new MachineDriver({ maxResponseBytes: 100 });
    driver.put({ key: latin1('a'), value: latin1('x'.repeat(200)) });
    const all = { request: { case: 'requestRange', value: RangeRequest.create(everything) } } as const;
    const one = { request: { case: 'requestPut', value: PutRequest.create({ key: latin1('b') }) } } as const;
    const result = driver.command(CommandKind.txn, TxnRequest, TxnRequest.create({ success: [all, one] }));
    expect(result).toEqual({ kind: 'oversized', revision: 3 });
    expect(driver.machine.store.get('b', 3)).not.toBeNull();
  });
});

describe('a large command', () => {
  const keys = 100_000;

  function filled(): MachineDriver {
    const driver = new MachineDriver({ unitsPerSlice: 4096 });
    for (let i = 0; i < keys; i++) driver.put({ key: latin1(`k${i}`) });
    return driver;
  }

  it('is applied in slices, and nothing of it shows before the last', () => {
    const driver = filled();
    const { machine } = driver;
    const data = new Envelopes(origin).wrap(
      keys + 1,
      CommandKind.deleteRange,
      DeleteRangeRequest.encode(DeleteRangeRequest.create(everything)),
    );
    let slices = 1;
    for (; machine.apply({ index: keys + 1, data }) === continueApply; slices++) {
      expect(machine.store.revision).toBe(keys + 1);
      expect(machine.store.get('k0', machine.store.revision)).not.toBeNull();
      expect(machine.appliedIndex()).toBe(keys);
    }
    // Two units a key.
    expect(slices).toBe(Math.ceil((2 * keys + 1) / 4096));
    expect(machine.store.revision).toBe(keys + 2);
    expect(machine.store.get('k0', keys + 2)).toBeNull();
    expect(machine.store.get('k0', keys + 1)).not.toBeNull();
  }, 60_000);

  it('takes the same slices on every server, and a snapshot taken in the middle shows the state before it', () => {
    const [one, two] = [filled(), filled()];
    const before = Buffer.concat(one.snapshot());
    const data = new Envelopes(origin).wrap(
      keys + 1,
      CommandKind.deleteRange,
      DeleteRangeRequest.encode(DeleteRangeRequest.create(everything)),
    );
    for (let i = 0; i < 10; i++) expect(one.machine.apply({ index: keys + 1, data })).toBe(continueApply);
    expect(Buffer.concat(one.snapshot()).equals(before)).toBe(true);
    one.index = keys;
    one.apply(data);
    two.apply(data);
    expect(one.slices + 10).toBe(two.slices);
    expect(Buffer.concat(one.snapshot()).equals(Buffer.concat(two.snapshot()))).toBe(true);
  }, 60_000);

  it('must be finished before another begins', () => {
    const driver = new MachineDriver({ unitsPerSlice: 1 });
    driver.put({ key: latin1('a') });
    driver.put({ key: latin1('b') });
    const data = new Envelopes(origin).wrap(
      9,
      CommandKind.deleteRange,
      DeleteRangeRequest.encode(DeleteRangeRequest.create(everything)),
    );
    expect(driver.machine.apply({ index: 3, data })).toBe(continueApply);
    expect(() => driver.machine.apply({ index: 4, data })).toThrow(/command 3 was half applied/);
  });
});

describe('members', () => {
  it('publish their name and URLs, which outlive a restart', () => {
    const driver = new MachineDriver();
    const ids = [0xffff_ffff_ffff_fff0n, 5n];
    for (const ID of ids) {
      const member = Member.create({ ID, name: `m${ID}`, clientURLs: [`http://${ID}`] });
      driver.command(CommandKind.publishMember, Member, member);
    }
    driver.command(CommandKind.publishMember, Member, Member.create({ ID: 5n, name: 'renamed' }));
    driver.restart();
    expect(driver.machine.members.list().map(({ ID, name }) => [ID, name])).toEqual([
      [5n, 'renamed'],
      [ids[0], `m${ids[0]}`],
    ]);
    expect(driver.machine.store.revision).toBe(1);
  });
});

describe('compaction', () => {
  it('frees what nobody can read, and a pinned state keeps what it shows', () => {
    const driver = new MachineDriver({ reclaimedPerCommand: 0 });
    for (const value of ['1', '2', '3'])
      for (const key of ['a', 'b']) driver.put({ key: latin1(key), value: latin1(value) });
    driver.deleteRange({ key: latin1('b') });
    const source = driver.machine.openSnapshot();
    driver.command(CommandKind.compact, CompactionRequest, CompactionRequest.create({ revision: 8 }));
    while (driver.machine.reclaim(1));
    expect(driver.machine.store.statistics().versions).toBe(7);
    const pinned = new KvStateMachine();
    restore(pinned, readAll(source), driver.index);
    expect(pinned.store.statistics().versions).toBe(7);
    expect(pinned.store.compactRevision).toBe(-1);
    while (driver.machine.reclaim(1));
    // What is left: the last value of `a`, and the deletion of `b`, which happened at the compact revision itself.
    expect(driver.machine.store.statistics()).toMatchObject({ keys: 2, versions: 2, valueBytes: 1 });
    driver.put({ key: latin1('c') });
    driver.compact(9);
    while (driver.machine.reclaim(1));
    expect(driver.machine.store.statistics()).toMatchObject({ keys: 2, versions: 2 });
  });

  it('gives memory back though a few old values lie between many dead ones', () => {
    const driver = new MachineDriver();
    const value = new Uint8Array(1000).fill(1);
    for (let i = 0; i < 5_000; i++) driver.put({ key: latin1(i % 100 === 0 ? `kept${i}` : 'hot'), value });
    expect(driver.machine.store.statistics().valueBytesAllocated).toBeGreaterThan(4_900_000);
    driver.compact(5_001);
    while (driver.machine.reclaim(100));
    const { valueBytes, valueBytesAllocated } = driver.machine.store.statistics();
    expect(valueBytes).toBe(51_000);
    expect(valueBytesAllocated).toBeLessThan(600_000);
    expect(driver.machine.store.get('kept4900', 5_001)?.value()).toEqual(value);
  });
});

describe('errors of the state machine', () => {
  it('say what to do', () => {
    const error = new StateMachineError('CorruptCommand', 'Message.', { cause: 1 });
    expect(error).toMatchObject({ name: 'StateMachineError', code: 'CorruptCommand', cause: 1 });
  });
});
