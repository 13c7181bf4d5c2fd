import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openNodeDisk } from '../src/node/disk.ts';
import { openStorage } from '../src/open-storage.ts';
import type { OpenedStorage } from '../src/storage.ts';
import { entry } from './support/storage-world.ts';

const LIVES = 3;
const ACKNOWLEDGED = 100;

/** Appends for ever, entries of many sizes, and prints the last index of every batch once it is durable. */
const WRITER = `
import { initialConfiguration } from '@quorate/raft';
import { openStorage } from '@quorate/runtime';
import { openNodeDisk } from '@quorate/runtime/node';
const identity = { clusterId: '00000000000000c1', group: 0, member: 'a', incarnation: '00000000000000aa' };
const configuration = initialConfiguration([{ id: 'a', incarnation: identity.incarnation, context: '' }]);
const timers = {
  set: (delay, callback) => setTimeout(() => callback(), delay / 1000),
  clear: (handle) => clearTimeout(handle),
  afterPoll: (callback) => setImmediate(() => callback()),
};
const creation = { identity, configuration, hardState: { term: 1, vote: 'a' } };
const environment = { disk: openNodeDisk(process.argv[1]), timers };
openStorage(environment, creation, { segmentBytes: 256 << 10, allocateStepBytes: 64 << 10 }, (error, opened) => {
  if (error !== null) throw new Error(error.message);
  let index = opened.recovered.lastIndex;
  const next = () => {
    const entries = [];
    for (let count = index % 7; count >= 0; count--) {
      index += 1;
      const data = new Uint8Array((index * 37) % 2000);
      for (let at = 0; at < data.length; at++) data[at] = (index * 31 + 7 + at * 13 + 1) & 0xff;
      entries.push({ index, term: 1, kind: 1, data });
    }
    opened.storage.append([{ id: 1, hardState: null, truncateFrom: 0, entries, snapshot: null, adopt: null, repairs: [] }], (failure) => {
      if (failure !== null) throw new Error(failure.message);
      process.stdout.write(index + '\\n', next);
    });
  };
  next();
});
`;

/** Lets the writer acknowledge a number of batches, kills it amid the next, and returns the last index that it acknowledged. */
async function liveAndDie(directory: string): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, directory], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
    if (output.split('\n').length > ACKNOWLEDGED) child.kill('SIGKILL');
  });
  await closed;
  const acknowledged = output.split('\n').slice(0, -1);
  return Number(acknowledged.at(-1) ?? 0);
}

function open(directory: string): Promise<OpenedStorage> {
  const timers = {
    set: (delay: number, callback: () => void) => setTimeout(callback, delay / 1000),
    clear: () => undefined,
    afterPoll: (callback: () => void) => void setImmediate(callback),
  };
  return new Promise((resolve, reject) => {
    openStorage({ disk: openNodeDisk(directory), timers }, null, {}, (error, opened) => {
      if (opened === null) reject(new Error(error?.message ?? 'The directory is new.'));
      else resolve(opened);
    });
  });
}

test('a process killed while it writes loses nothing that it acknowledged, time after time', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-kill-'));
  try {
    for (let life = 0; life < LIVES; life++) {
      const acknowledged = await liveAndDie(directory);
      expect(acknowledged).toBeGreaterThan(ACKNOWLEDGED * life);
      const opened = await open(directory);
      const last = opened.recovered.lastIndex;
      expect(last).toBeGreaterThanOrEqual(acknowledged);
      // At most the one batch that was in flight.
      expect(last).toBeLessThanOrEqual(acknowledged + 7);
      const read = await new Promise((resolve) =>
        opened.storage.read(last - 100, last, 1 << 30, (_, entries) => resolve(entries)),
      );
      const wanted = Array.from({ length: 101 }, (_, at) => entry(last - 100 + at, 1, ((last - 100 + at) * 37) % 2000));
      expect(JSON.stringify(read) === JSON.stringify(wanted)).toBe(true);
      await new Promise<void>((resolve) => opened.storage.close(resolve));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
