// Memory of a process that holds 100,000 keys of 256 B and nothing else. Budget: 150 MB for a whole server.
//
//   npx tsc -b && node --expose-gc packages/kv/bench/memory.bench.mjs [keys] [bytes]
import { PutRequest } from '../dist/api/index.js';
import { KvStateMachine } from '../dist/index.js';
import { CommandKind, Envelopes } from '../dist/machine/envelope.js';

const keys = Number(process.argv[2] ?? 100_000);
const bytes = Number(process.argv[3] ?? 256);
const envelopes = new Envelopes({ member: 1n, incarnation: 1n });
const machine = new KvStateMachine();

function report(when) {
  globalThis.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const mb = (n) => (n / 1e6).toFixed(1).padStart(7);
  console.log(`${when.padEnd(16)} rss ${mb(rss)} MB, heap ${mb(heapUsed)} MB, array buffers ${mb(arrayBuffers)} MB`);
}

report('empty');
const value = new Uint8Array(bytes).fill(7);
for (let i = 1; i <= keys; i++) {
  const key = new Uint8Array(Buffer.from(`key-${String((i * 7919) % keys).padStart(12, '0')}`, 'latin1'));
  const put = PutRequest.encode(PutRequest.create({ key, value }));
  machine.apply({ index: i, data: envelopes.wrap(i, CommandKind.put, put) });
}
report(`${keys} keys`);
console.log(JSON.stringify(machine.store.statistics()));
