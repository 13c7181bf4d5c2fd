import { spawn } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry } from '@quorate/raft';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Disk, DiskError, DiskOperation, Timers } from '../src/environment.ts';
import { openNodeDisk } from '../src/node/disk.ts';
import { openStorage } from '../src/open-storage.ts';
import type { OpenedStorage, StorageError } from '../src/storage.ts';
import { sameEntries } from './support/storage-life.ts';
import { batch, creation, entries, smallSegments } from './support/storage-world.ts';

let directory: string;
const disks: Disk[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-disk-'));
});
afterEach(async () => {
  for (const disk of disks.splice(0)) await new Promise<void>((resolve) => disk.close(resolve));
  rmSync(directory, { recursive: true });
});

function openDisk(path = directory): Disk {
  const disk = openNodeDisk(path);
  disks.push(disk);
  return disk;
}

const timers: Timers = {
  set: (delay, callback) => setTimeout(callback, delay / 1000),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
  afterPoll: (callback) => void setImmediate(callback),
};

function hold(disk: Disk): Promise<DiskError | null> {
  return new Promise((resolve) => disk.hold(resolve));
}

function submit(disk: Disk, operations: readonly DiskOperation[]): Promise<DiskError | null> {
  return new Promise((resolve) => disk.submit(operations, resolve));
}

function open(disk: Disk): Promise<OpenedStorage> {
  return new Promise((resolve, reject) => {
    openStorage({ disk, timers }, creation, smallSegments, (error, opened) => {
      if (opened === null) reject(new Error(error?.message ?? 'new'));
      else resolve(opened);
    });
  });
}

function append(opened: OpenedStorage, from: number, to: number, bytes: number): Promise<StorageError | null> {
  return new Promise((resolve) => opened.storage.append([batch({ entries: entries(from, to, 1, bytes) })], resolve));
}

describe('the disk on Node.js', () => {
  test('carries out every operation, and reads what was written', async () => {
    const disk = openDisk();
    expect(await hold(disk)).toBeNull();
    const bytes = new Uint8Array([1, 2, 3]);
    expect(
      await submit(disk, [
        { op: 'makeDirectory', path: 'a' },
        { op: 'allocate', path: 'a/f', length: 10 },
        { op: 'write', path: 'a/f', offset: 4, bytes: bytes.slice() },
        { op: 'sync', path: 'a/f' },
        { op: 'rename', from: 'a/f', to: 'a/g' },
        { op: 'truncate', path: 'a/g', length: 6 },
        { op: 'remove', path: 'a/nothing' },
        { op: 'syncDirectory', path: 'a' },
      ]),
    ).toBeNull();
    expect(readFileSync(join(directory, 'a/g'))).toEqual(Buffer.from([0, 0, 0, 0, 1, 2]));
    const read = await new Promise((resolve) => disk.background.read('a/g', 3, 100, (_, got) => resolve([...got])));
    expect(read).toEqual([0, 1, 2]);
    expect(await new Promise((resolve) => disk.list('a', (_, names) => resolve(names)))).toEqual(['g']);
    expect(await new Promise((resolve) => disk.size('a/g', (_, size) => resolve(size)))).toBe(6);
    expect(await new Promise<number>((resolve) => disk.free((_, free) => resolve(free)))).toBeGreaterThan(0);
  });

  test('stops a list at its first failure and names the file', async () => {
    const disk = openDisk();
    await hold(disk);
    const error = await submit(disk, [
      { op: 'rename', from: 'absent', to: 'b' },
      { op: 'write', path: 'never', offset: 0, bytes: new Uint8Array(1) },
    ]);
    expect(error).toMatchObject({ code: 'ENOENT', path: 'absent' });
    expect(readdirSync(directory)).toEqual(['lock']);
    expect(await new Promise<DiskError | null>((resolve) => disk.list('absent', resolve))).toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('a directory is held', () => {
  test('against a second disk, until it is closed', async () => {
    const first = openDisk();
    expect(await hold(first)).toBeNull();
    expect(await hold(first)).toBeNull();
    const second = openDisk();
    expect(await hold(second)).toMatchObject({ code: 'EBUSY' });
    await new Promise<void>((resolve) => first.close(resolve));
    expect(await hold(second)).toBeNull();
  });

  test('also where its path is too long for a socket', async () => {
    const deep = join(directory, 'd'.repeat(100), 'e'.repeat(100));
    mkdirSync(deep, { recursive: true });
    expect(await hold(openDisk(deep))).toBeNull();
    expect(await hold(openDisk(deep))).toMatchObject({ code: 'EBUSY' });
  });

  test('but no longer once its holder was killed', async () => {
    const holder = `import { openNodeDisk } from '@quorate/runtime/node';
      openNodeDisk(process.argv[1]).hold((error) => console.log(error === null ? 'held' : error.code));
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', holder, directory], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    try {
      const line = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
      expect(line.trim()).toBe('held');
      expect(await hold(openDisk())).toMatchObject({ code: 'EBUSY' });
    } finally {
      child.kill('SIGKILL');
    }
    await exited;
    expect(readdirSync(directory)).toContain('lock');
    expect(await hold(openDisk())).toBeNull();
  });

  test('but not by a file that is no socket of a living process', async () => {
    writeFileSync(join(directory, 'lock'), '');
    expect(await hold(openDisk())).toBeNull();
  });
});

test('a log on a real disk is there after it was closed and opened again', async () => {
  const first = await open(openDisk());
  for (let from = 1; from <= 2000; from += 100) expect(await append(first, from, from + 99, 200)).toBeNull();
  await new Promise<void>((resolve) => first.storage.close(resolve));
  const again = await open(openDisk());
  expect(again.recovered.lastIndex).toBe(2000);
  const read = await new Promise<readonly Entry[]>((resolve) =>
    again.storage.read(1, 2000, 1 << 30, (_, found) => resolve(found)),
  );
  expect(sameEntries(read, entries(1, 2000, 1, 200))).toBe(true);
});

test('a pool of threads that is busy elsewhere does not hold the log up', async () => {
  const opened = await open(openDisk());
  const order: string[] = [];
  // Four at a time is what the pool of Node.js takes; the last of these waits for four rounds.
  const hashes = Array.from({ length: 16 }, async () => {
    await new Promise((resolve) => pbkdf2('secret', 'salt', 100_000, 64, 'sha512', resolve));
    order.push('hash');
  });
  for (let from = 1; from <= 10; from++) expect(await append(opened, from, from, 100)).toBeNull();
  order.push('ten appends');
  await Promise.all(hashes);
  expect(order.at(-1)).toBe('hash');
});

test('a directory that cannot be made is an error that says so', async () => {
  writeFileSync(join(directory, 'file'), '');
  await expect(open(openDisk(join(directory, 'file', 'data')))).rejects.toThrow(
    'Give this server a directory that it may write to',
  );
});

test('a disk that was closed answers what was submitted before, refuses more, and opens again', async () => {
  const disk = openDisk();
  await hold(disk);
  const written = submit(disk, [{ op: 'write', path: 'f', offset: 0, bytes: new Uint8Array(3) }]);
  await new Promise<void>((resolve) => disk.close(resolve));
  expect(await written).toBeNull();
  expect(readdirSync(directory)).toEqual(['f']);
  expect(await submit(disk, [{ op: 'sync', path: 'f' }])).toMatchObject({ code: 'EIO' });
  expect(await hold(disk)).toBeNull();
  expect(await submit(disk, [{ op: 'sync', path: 'f' }])).toBeNull();
});
