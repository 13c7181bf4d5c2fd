// The API codec against protobufjs, in one run: `npx tsc -b && node packages/kv/bench/codec.bench.mjs`.
// Prints nanoseconds a message and how many times faster ours is. `write` goes into the caller's buffer, as the server does;
// `encode` allocates.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { KeyValue, PutRequest, PutResponse, RangeResponse, ResponseHeader, TxnRequest } from '@quorate/kv/api';

const protoRoot = fileURLToPath(new URL('../proto', import.meta.url));
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(protoRoot, target);
root.loadSync('etcdserverpb/kv.proto', { keepCase: true });

const ROUND_MS = 150;
const ROUNDS = 5;

const header = ResponseHeader.create({
  clusterId: 14841639068965178418n,
  memberId: 10276657743932975437n,
  revision: 123456,
  raftTerm: 3,
});
const key = new TextEncoder().encode('/registry/pods/default/web-0');
const value = new Uint8Array(256).fill(7);
const kv = KeyValue.create({ key, value, createRevision: 100, modRevision: 123456, version: 3 });
const put = PutRequest.create({ key, value });

const subjects = [
  ['PutRequest, 256 B value', PutRequest, put],
  ['PutResponse', PutResponse, PutResponse.create({ header })],
  ['RangeResponse, 1 key', RangeResponse, RangeResponse.create({ header, kvs: [kv], count: 1 })],
  [
    'RangeResponse, 100 keys',
    RangeResponse,
    RangeResponse.create({ header, kvs: Array.from({ length: 100 }, () => kv), count: 100 }),
  ],
  [
    'TxnRequest, 10 puts',
    TxnRequest,
    TxnRequest.create({ success: Array.from({ length: 10 }, () => ({ request: { case: 'requestPut', value: put } })) }),
  ],
];

/** Nanoseconds a call, the best of some rounds. */
function measure(call) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    const end = start + BigInt(ROUND_MS) * 1_000_000n;
    let calls = 0;
    let now = start;
    while (now < end) {
      for (let i = 0; i < 100; i++) call();
      calls += 100;
      now = process.hrtime.bigint();
    }
    best = Math.min(best, Number(now - start) / calls);
  }
  return best;
}

const row = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(28) : cell.padStart(14))).join(''));
const ns = (time) => `${time.toFixed(0)} ns`;

row('', 'write', 'encode', 'protobufjs', 'times', 'decode', 'protobufjs', 'times');
for (const [label, ours, message] of subjects) {
  const bytes = ours.encode(message);
  const theirs = root.lookupType(ours.typeName);
  const theirMessage = theirs.decode(bytes);
  if (Buffer.compare(theirs.encode(theirMessage).finish(), bytes) !== 0)
    throw new Error(`${ours.typeName}: the encodings differ`);
  const room = new Uint8Array(bytes.length);
  const write = measure(() => {
    if (ours.size(message) > room.length) throw new Error('the message has grown');
    ours.write(message, room, 0);
  });
  const encode = [measure(() => ours.encode(message)), measure(() => theirs.encode(theirMessage).finish())];
  const decode = [measure(() => ours.decode(bytes)), measure(() => theirs.decode(bytes))];
  const cells = [encode, decode].flatMap(([a, b]) => [ns(a), ns(b), (b / a).toFixed(1)]);
  row(label, ns(write), ...cells);
}
