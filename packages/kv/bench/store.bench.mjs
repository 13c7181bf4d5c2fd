// How fast the store and the state machine are, without consensus, disk or network. CPU time counts all threads, the collector's too.
//
//   npx tsc -b && node --expose-gc packages/kv/bench/store.bench.mjs [keys]
import { performance } from 'node:perf_hooks';
import { CompactionRequest, DeleteRangeRequest, PutRequest, RangeRequest } from '../dist/api/index.js';
import { byteStringOf } from '../dist/byte-string.js';
import { continueApply, KvStateMachine } from '../dist/index.js';
import { CommandKind, Envelopes } from '../dist/machine/envelope.js';
import { selectRange } from '../dist/machine/range.js';
import { encodeRange } from '../dist/machine/response.js';
import { WorkMeter } from '../dist/machine/steps.js';
import { BPlusTree } from '../dist/mvcc/b-plus-tree.js';

const keys = Number(process.argv[2] ?? 1_000_000);
const origin = { member: 1n, incarnation: 1n };
const envelopes = new Envelopes(origin);
const latin1 = (text) => new Uint8Array(Buffer.from(text, 'latin1'));
const everything = RangeRequest.create({ key: latin1('\0'), rangeEnd: latin1('\0') });

/** The same shuffled keys in every run: 16 bytes, like `key-000000123456`. */
function shuffledKeys() {
  const numbers = Array.from({ length: keys }, (_, i) => i);
  let seed = 42;
  for (let i = keys - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = seed % (i + 1);
    [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
  }
  return numbers.map((n) => `key-${String(n).padStart(12, '0')}`);
}

function measure(what, count, work) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = work();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round((count / ms) * 1000).toLocaleString('en-GB');
  const each = ((user + system) / count).toFixed(2);
  console.log(
    `${what.padEnd(40)} ${rate.padStart(12)}/s ${ms.toFixed(0).padStart(7)} ms ${each.padStart(7)} µs CPU each`,
  );
  return result;
}

/** Lets the collector do what it has put off, so that it does not count against what comes next. */
async function rest() {
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
}

function finish(steps) {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

// Strings, not bytes: a million small typed arrays would weigh more on the collector than the store under test.
const strings = shuffledKeys();
measure('keys to bytes to byte strings', keys, () => {
  for (const key of strings) if (byteStringOf(latin1(key)) !== key) throw new Error('lost');
});
const tree = new BPlusTree();
measure('index: load', keys, () => {
  for (let i = 0; i < keys; i++) tree.set(strings[i], i);
});
measure('index: get', keys, () => {
  for (let i = 0; i < keys; i++) if (tree.get(strings[i]) !== i) throw new Error('lost');
});
measure('index: walk', keys, () => {
  const cursor = tree.cursor('');
  let seen = 0;
  while (cursor.next()) seen++;
  if (seen !== keys) throw new Error('lost');
});

const machine = new KvStateMachine({ origin });
let index = 0;
let slices = 0;
let longest = 0;
function apply(kind, payload) {
  const data = envelopes.wrap(++index, kind, payload);
  for (slices = 1, longest = 0; ; slices++) {
    const start = performance.now();
    const result = machine.apply({ index, data });
    longest = Math.max(longest, performance.now() - start);
    if (result !== continueApply) return result;
  }
}

const value = new Uint8Array(256).fill(7);
const encodePut = (key) => PutRequest.encode(PutRequest.create({ key: latin1(key), value }));
measure('(encoding a put and its envelope alone)', keys, () => {
  for (const key of strings) envelopes.wrap(1, CommandKind.put, encodePut(key));
});
measure('apply: put of a new key, 256 B', keys, () => {
  for (const key of strings) apply(CommandKind.put, encodePut(key));
});
measure('apply: put of a known key, 256 B', keys, () => {
  for (const key of strings) apply(CommandKind.put, encodePut(key));
});

const { store } = machine;
const meter = new WorkMeter();
const selection = measure('range: select all', keys, () =>
  finish(selectRange(store, everything, store.revision, meter)),
);
measure('range: encode all', keys, () =>
  finish(encodeRange(selection, false, new Uint8Array(0), 512 * 1024 * 1024, meter)),
);
measure('range: one key, encoded', keys, () => {
  for (const key of strings) {
    const request = RangeRequest.create({ key: latin1(key) });
    const one = finish(selectRange(store, request, store.revision, meter));
    finish(encodeRange(one, false, new Uint8Array(0), 1 << 20, meter));
  }
});

let slowest = 0;
const snapshot = [];
await rest();
measure('snapshot: write', keys * 2, () => {
  const source = machine.openSnapshot();
  for (;;) {
    const start = performance.now();
    const slice = source.next();
    slowest = Math.max(slowest, performance.now() - start);
    if (slice === null) break;
    snapshot.push(slice);
  }
  source.close();
});
console.log(`  ${snapshot.length} slices, longest ${slowest.toFixed(1)} ms`);
slowest = 0;
await rest();
measure('snapshot: restore', keys * 2, () => {
  const sink = new KvStateMachine({ origin }).beginRestore();
  for (const slice of snapshot) {
    const start = performance.now();
    sink.write(slice);
    slowest = Math.max(slowest, performance.now() - start);
  }
  sink.finish(index);
});
console.log(`  longest slice ${slowest.toFixed(1)} ms`);

measure('apply: delete everything', keys, () =>
  apply(CommandKind.deleteRange, DeleteRangeRequest.encode(DeleteRangeRequest.create(everything))),
);
console.log(`  ${slices} slices, longest ${longest.toFixed(1)} ms`);
apply(CommandKind.compact, CompactionRequest.encode(CompactionRequest.create({ revision: store.revision })));
slowest = 0;
measure('reclaim what was compacted', keys, () => {
  for (let more = true; more; ) {
    const start = performance.now();
    more = machine.reclaim(4096);
    slowest = Math.max(slowest, performance.now() - start);
  }
});
console.log(`  longest slice ${slowest.toFixed(1)} ms; left: ${JSON.stringify(store.statistics())}`);
