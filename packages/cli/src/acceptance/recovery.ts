import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ClientError } from '@quorate/client';
import { askPage, clientAddress, type LocalServer, memberDirectory } from '@quorate/processes';
import { bulkPut } from './bulk-put.ts';
import { type Report, Trial } from './trial.ts';
import { UniqueWrites } from './writes.ts';

/** Enough log that a snapshot is taken and the trailing entries no longer reach back to where the follower stopped. */
const SNAPSHOT_ENTRIES = 12_500;
const SNAPSHOT_VALUE_BYTES = 6 * 1024;
/** A disk writes whole sectors: a crash loses some of them, never parts. */
const SECTOR_BYTES = 512;
/** A server leaves within two seconds of SIGTERM; a busy machine may add to it. */
const STOP_LIMIT_MS = 3_000;

/** A follower that was down while the others wrote on and forgot the log comes back by snapshot. */
export async function snapshotCatchUp({ report }: { readonly report: Report }): Promise<void> {
  await Trial.run({ servers: 3, report }, async (trial) => {
    const writes = new UniqueWrites();
    const client = await trial.client();
    for (let n = 0; n < 20; n++) assert.equal(await writes.write(client, `w/before/${n}`), null);
    const absent = await trial.follower();
    const lastIndex = (await trial.page(absent))?.lastIndex ?? 0;
    await absent.process.kill();

    await bulkPut(client, { entries: SNAPSHOT_ENTRIES, valueBytes: SNAPSHOT_VALUE_BYTES, keys: 500, prefix: 'bulk/' });
    const leader = await trial.leader();
    const compacted = await trial.until('the leader to forget what the absent follower lacks', async () => {
      const page = await trial.page(leader);
      return page !== null && page.baseIndex > lastIndex ? page : null;
    });
    report(`the absent follower stopped at ${lastIndex}; the leader's log now begins behind ${compacted.baseIndex}`);

    absent.process.start();
    const page = await trial.until('the follower to install a snapshot', async () => {
      const seen = await trial.page(absent);
      return seen !== null && seen.snapshot.index > lastIndex ? seen : null;
    });
    report(`it came back by a snapshot at ${page.snapshot.index}`);
    for (let n = 0; n < 20; n++) assert.equal(await writes.write(client, `w/after/${n}`), null);
    await writes.verifyEverywhere(trial, 'w/');
  });
}

/** All servers stopped at once, politely and then with -9 under load, continue where they were. */
export async function restartAll({ report }: { readonly report: Report }): Promise<void> {
  await Trial.run({ servers: 3, report }, async (trial) => {
    const writes = new UniqueWrites();
    const client = await trial.client();
    for (let n = 0; n < 200; n++) assert.equal(await writes.write(client, `w/first/${n}`), null);

    const times = await Promise.all(trial.cluster.servers.map(({ process }) => process.stop()));
    report(`SIGTERM to all: gone after ${times.map((time) => time.toFixed(0)).join(', ')} ms`);
    for (const [at, { member, process }] of trial.cluster.servers.entries()) {
      assert.deepEqual(process.lastExit, { code: 0, signal: null }, `${member.name} did not leave in order.`);
      assert.ok((times[at] ?? 0) <= STOP_LIMIT_MS, `${member.name} took ${times[at]} ms to leave.`);
    }
    trial.cluster.startAll();
    await trial.leader();
    await writes.verifyEverywhere(trial, 'w/');

    const stop = new AbortController();
    const workers = [0, 1, 2, 3].map((n) => writes.keepGoing(client, `w/worker${n}`, stop.signal));
    await trial.until('some writes under way', () => Promise.resolve(writes.acknowledged.size > 600 ? true : null));
    await trial.cluster.killAll();
    trial.cluster.startAll();
    await trial.leader();
    const before = writes.acknowledged.size;
    await trial.until('writes after the restart', () =>
      Promise.resolve(writes.acknowledged.size > before ? true : null),
    );
    stop.abort();
    await Promise.all(workers);
    report('kill -9 of all at once under load: they went on');
    await writes.verifyEverywhere(trial, 'w/');
  });
}

/**
 * A last batch that a crash tore is dropped: the server says so, starts, and has everything that was acknowledged. The batch is
 * one that no promise rests on: a leader that was cut off wrote it for itself alone.
 */
export async function tornTail({ report }: { readonly report: Report }): Promise<void> {
  await Trial.run({ servers: 3, report }, async (trial) => {
    const writes = new UniqueWrites();
    const client = await trial.client();
    for (let n = 0; n < 50; n++) assert.equal(await writes.write(client, `w/${n}`), null);
    const victim = await trial.leader();
    const alone = await trial.client(victim);
    const others = trial.running.filter((server) => server !== victim).map(({ member }) => member.name);
    await askPage('POST', clientAddress(victim.member), `/debug/partition?from=${others.join(',')}`);
    const lost = await alone
      .put('torn', new Uint8Array(SECTOR_BYTES * 8).fill(1), { timeout: 500 })
      .catch((error: unknown) => error);
    assert.ok(lost instanceof ClientError, 'A leader without a majority acknowledged a write.');
    await victim.process.kill();

    const log = newestSegment(trial, victim);
    const cut = Math.floor((log.end - 1) / SECTOR_BYTES) * SECTOR_BYTES;
    overwrite(log.path, cut, new Uint8Array(log.end - cut));
    victim.process.start();
    await trial.until(`${victim.member.name} to come back`, () => trial.page(victim));
    const note = victim.process
      .logTail(100)
      .split('\n')
      .find((line) => /torn|cut off/.test(line));
    assert.ok(note !== undefined, 'The server did not say that it dropped a torn batch.');
    report(`the last sector of the last batch was lost; the server said: ${note}`);
    await trial.oneLeader();
    for (let n = 50; n < 60; n++) assert.equal(await writes.write(client, `w/${n}`), null);
    await writes.verifyEverywhere(trial, 'w/');
    assert.equal((await client.get('torn')).count, 0, 'The torn write took effect.');
  });
}

/**
 * One flipped bit in the data of an entry: the server names file and offset, gets the entry from the others and goes on. In the header
 * of a record, where nobody can tell any more what stood there, it stops the server instead; the others go on.
 */
export async function flippedBit({ report }: { readonly report: Report }): Promise<void> {
  await Trial.run({ servers: 3, report }, async (trial) => {
    const writes = new UniqueWrites();
    const client = await trial.client();
    for (let n = 0; n < 200; n++) assert.equal(await writes.write(client, `w/${n}`), null);
    const victim = await trial.follower();
    await victim.process.stop();
    const log = newestSegment(trial, victim);
    const record = recordAfter(log, Math.floor(log.end / 2));

    for (const [what, at] of [
      ['the data of an entry', record + RECORD_HEADER_BYTES],
      ['its header', record + 16],
    ] as const) {
      flip(log.path, at);
      victim.process.start();
      await isWhole(trial, victim);
      const said = victim.process.logTail(200);
      assert.match(said, /\.wal' is damaged at offset \d+/, `The log does not name file and offset: ${said}`);
      report(`bit flipped in ${what}, at ${log.path}:${at}; the server said so and got the entry from the others`);
      await victim.process.stop();
    }
    for (let n = 200; n < 220; n++) assert.equal(await writes.write(client, `w/${n}`), null);

    // Nothing else holds the newest term and vote: no other server can make up for that.
    const { path, end } = newestSegment(trial, victim);
    flip(path, lastSeal({ path, end }) + RECORD_HEADER_BYTES);
    victim.process.start();
    const exit = await victim.process.exited();
    const words = victim.process.logTail(5);
    assert.equal(exit.code, 1, `${victim.member.name} started on a corrupt log: ${words}`);
    assert.match(words, /\.wal/, `The message does not name the file: ${words}`);
    assert.match(words, /offset \d+/, `The message does not name the offset: ${words}`);
    report(`bit flipped in the newest seal; the server stopped and said: ${words.split('\n').at(-1)}`);
    for (let n = 220; n < 240; n++) assert.equal(await writes.write(client, `w/${n}`), null);
    await writes.verifyEverywhere(trial, 'w/');
  });
}

/** It has all that the others have, whole. */
async function isWhole(trial: Trial, victim: LocalServer): Promise<void> {
  await trial.until('the damaged entry to be whole again', async () => {
    const page = await trial.page(victim);
    return page?.faultyEntries === 0 && page.appliedIndex === page.commitIndex && page.commitIndex > 200 ? page : null;
  });
}

/** The record format of docs/wal-format.md, as much as it takes to find the header of an entry. */
const RECORD_HEADER_BYTES = 48;
const ENTRY_RECORD = 1;
const SEAL_RECORD = 5;

/** Where the newest seal begins. */
function lastSeal({ path, end }: Segment): number {
  const bytes = readFileSync(path);
  for (let at = end - (end % 8); at >= 0; at -= 8) {
    if (at + 28 <= bytes.length && bytes.readUInt32LE(at + 24) === at && bytes[at + 12] === SEAL_RECORD) return at;
  }
  throw new Error(`There is no seal in ${path}.`);
}

/** Where the first entry behind `from` begins: its header says its own offset. */
function recordAfter({ path, end }: Segment, from: number): number {
  const bytes = readFileSync(path);
  for (let at = from - (from % 8); at + RECORD_HEADER_BYTES < end; at += 8) {
    if (bytes.readUInt32LE(at + 24) === at && bytes[at + 12] === ENTRY_RECORD) return at;
  }
  throw new Error(`${path} holds no entry behind ${from}.`);
}

function flip(path: string, offset: number): void {
  const [byte = 0] = readBytes(path, offset, 1);
  overwrite(path, offset, Uint8Array.of(byte ^ 0x10));
}

interface Segment {
  readonly path: string;
  /** Behind the last byte that is not zero: segments are filled with zeros beforehand. */
  readonly end: number;
}

function newestSegment(trial: Trial, server: LocalServer): Segment {
  const directory = join(memberDirectory(trial.cluster.directory, server.member), 'wal');
  const written = readdirSync(directory)
    .filter((name) => name.endsWith('.wal'))
    .sort()
    .map((name) => ({ path: join(directory, name), end: usedBytes(join(directory, name)) }))
    .filter(({ end }) => end > 0);
  const newest = written.at(-1);
  assert.ok(newest !== undefined, `${directory} holds no written segment.`);
  return newest;
}

function usedBytes(path: string): number {
  const bytes = readFileSync(path);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  // Records are aligned to eight bytes and may end in zeros.
  return Math.min(bytes.length, Math.ceil(end / 8) * 8);
}

function readBytes(path: string, offset: number, length: number): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    readSync(file, bytes, 0, length, offset);
    return bytes;
  } finally {
    closeSync(file);
  }
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(file);
  }
}
