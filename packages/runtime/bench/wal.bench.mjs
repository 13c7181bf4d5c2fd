// The write-ahead log against the bare disk, in one run on one disk: batches a second and latency for batches of 1 to 1000 entries.
// `node packages/runtime/bench/wal.bench.mjs [seconds per row] [directory]`, after `npm run build`.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initialConfiguration } from '@quorate/raft';
import { openStorage } from '@quorate/runtime';
import { openNodeDisk } from '@quorate/runtime/node';

const ENTRY_BYTES = 256;
const BATCH_SIZES = [1, 10, 100, 1000];
const SEGMENT_BYTES = 64 << 20;

const seconds = Number(process.argv[2] ?? 2);
const directory = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'quorate-wal-bench-'));

function percentile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

function summary(latencies, elapsed) {
  const sorted = latencies.sort((a, b) => a - b);
  return {
    rate: latencies.length / elapsed,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
  };
}

/** One writeSync and one fdatasyncSync a batch, on a file filled with zeros before. */
function bare(batchSize) {
  const path = join(directory, `bare-${batchSize}`);
  const fd = openSync(path, 'w');
  const zeros = Buffer.alloc(1 << 20);
  for (let at = 0; at < SEGMENT_BYTES; at += zeros.length) writeSync(fd, zeros, 0, zeros.length, at);
  fdatasyncSync(fd);
  const bytes = Buffer.alloc(batchSize * ENTRY_BYTES, 7);
  const latencies = [];
  const begin = process.hrtime.bigint();
  const end = begin + BigInt(Math.round(seconds * 1e9));
  let now = begin;
  for (let at = 0; now < end; at += bytes.length) {
    if (at + bytes.length > SEGMENT_BYTES) at = 0;
    writeSync(fd, bytes, 0, bytes.length, at);
    fdatasyncSync(fd);
    const then = process.hrtime.bigint();
    latencies.push(Number(then - now) / 1e3);
    now = then;
  }
  closeSync(fd);
  return summary(latencies, Number(now - begin) / 1e9);
}

function openLog() {
  const identity = { clusterId: '00000000000000c1', group: 0, member: 'bench', incarnation: '00000000000000aa' };
  const member = { id: 'bench', incarnation: identity.incarnation, context: '' };
  const environment = {
    disk: openNodeDisk(join(directory, 'log')),
    timers: {
      set: (delay, callback) => setTimeout(() => callback(), delay / 1000),
      clear: (handle) => clearTimeout(handle),
      afterPoll: (callback) => setImmediate(() => callback()),
    },
  };
  const creation = {
    identity,
    configuration: initialConfiguration([member]),
    hardState: { term: 1, vote: 'bench' },
  };
  return new Promise((resolve, reject) => {
    openStorage(environment, creation, {}, (error, opened) => {
      if (opened === null) reject(new Error(error?.message));
      else resolve(opened.storage);
    });
  });
}

let lastIndex = 0;

function logged(storage, batchSize) {
  const data = new Uint8Array(ENTRY_BYTES).fill(7);
  const latencies = [];
  const begin = process.hrtime.bigint();
  const end = begin + BigInt(Math.round(seconds * 1e9));
  let now = begin;
  return new Promise((resolve, reject) => {
    const next = () => {
      const entries = [];
      for (let each = 0; each < batchSize; each++) entries.push({ index: ++lastIndex, term: 1, kind: 1, data });
      storage.append(
        [{ id: 1, hardState: null, truncateFrom: 0, entries, snapshot: null, adopt: null, repairs: [] }],
        (error) => {
          if (error !== null) return reject(new Error(error.message));
          const then = process.hrtime.bigint();
          latencies.push(Number(then - now) / 1e3);
          now = then;
          if (now < end) next();
          else resolve(summary(latencies, Number(now - begin) / 1e9));
        },
      );
    };
    next();
  });
}

function row(cells) {
  console.log(cells.map((cell, at) => String(cell).padStart(at === 0 ? 8 : 12)).join(''));
}

try {
  const storage = await openLog();
  // The first segment is being prepared in the background: that is not what is measured here.
  await logged(storage, 1);
  console.log(`entries of ${ENTRY_BYTES} B; µs a batch; ratio = log / bare write + fdatasync`);
  row(['batch', 'bare p50', 'bare p99', 'log p50', 'log p99', 'batches/s', 'entries/s', 'rate ratio', 'p50 ratio']);
  for (const batchSize of BATCH_SIZES) {
    const disk = bare(batchSize);
    const log = await logged(storage, batchSize);
    row([
      batchSize,
      disk.p50.toFixed(0),
      disk.p99.toFixed(0),
      log.p50.toFixed(0),
      log.p99.toFixed(0),
      log.rate.toFixed(0),
      (log.rate * batchSize).toFixed(0),
      (log.rate / disk.rate).toFixed(2),
      (log.p50 / disk.p50).toFixed(2),
    ]);
  }
  await new Promise((resolve) => storage.close(resolve));
} finally {
  rmSync(directory, { recursive: true });
}
