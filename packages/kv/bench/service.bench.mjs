// What a request costs in the service and the state machine: everything but sockets, consensus and disk.
//
//   npx tsc -b && node --expose-gc packages/kv/bench/service.bench.mjs [requests]
import { performance } from 'node:perf_hooks';
import { PutRequest, RangeRequest, TxnRequest } from '../dist/api/index.js';
import { continueApply, KvService, KvStateMachine } from '../dist/index.js';

const requests = Number(process.argv[2] ?? 300_000);
const inFlight = 256;
const keys = 100_000;
const origin = { member: 1n, incarnation: 1n };
const latin1 = (text) => new Uint8Array(Buffer.from(text, 'latin1'));
const never = () => {};

/** One server whose log is a list: what was proposed in a turn is applied in the next. */
class ListConsensus {
  proposals = [];
  barriers = [];
  index = 0;
  listeners = [];
  constructor(machine) {
    this.machine = machine;
  }
  propose(command, done) {
    this.proposals.push({ command, done });
  }
  readBarrier(done) {
    this.barriers.push(done);
  }
  leadership() {
    return { isLeader: true, leader: 1n, term: 2 };
  }
  progress() {
    return { appliedIndex: this.index, committedIndex: this.index, term: 2 };
  }
  onApplied(listener) {
    this.listeners.push(listener);
    return never;
  }
  onLeadership() {
    return never;
  }
  turn() {
    const { proposals, barriers } = this;
    this.proposals = [];
    this.barriers = [];
    for (const { command, done } of proposals) {
      const index = ++this.index;
      let result = this.machine.apply({ index, data: command });
      while (result === continueApply) result = this.machine.apply({ index, data: command });
      done({ kind: 'applied', index, result });
    }
    for (const done of barriers) done({ kind: 'ready', index: this.index });
    for (const listener of this.listeners) listener();
  }
}

class Call {
  metadata = new Map();
  cancelled = false;
  backedUp = false;
  deadline = Number.POSITIVE_INFINITY;
  constructor(request, next) {
    this.request = request;
    this.next = next;
  }
  onCancel() {}
  onMessage() {}
  onDrain() {}
  reply() {
    this.next();
  }
  send() {}
  end(status) {
    throw new Error(`${status.code} ${status.message}`);
  }
}

const machine = new KvStateMachine({ origin });
const consensus = new ListConsensus(machine);
let yielded = [];
const environment = {
  now: () => Math.floor(performance.now() * 1000),
  random: () => 4,
  setTimer(delay, callback) {
    const timer = setTimeout(() => callback(), delay / 1000);
    timer.unref();
    return () => clearTimeout(timer);
  },
  yield: (callback) => yielded.push(callback),
};
const service = new KvService(consensus, environment, machine, { clusterId: 1n, origin, sequenceFloor: 1 });

function run(what, method, encode) {
  globalThis.gc?.();
  const handler = service.methods.get(`/etcdserverpb.KV/${method}`);
  let begun = 0;
  let done = 0;
  const begin = () => {
    if (begun < requests) handler.handle(new Call(encode(begun++), answered));
  };
  let free = inFlight;
  const answered = () => {
    done++;
    free++;
  };
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (;;) {
    for (; free > 0; free--) begin();
    if (done === requests) break;
    const callbacks = yielded;
    yielded = [];
    for (const callback of callbacks) callback();
    consensus.turn();
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round(requests / seconds).toLocaleString('en-GB');
  console.log(
    `${what.padEnd(36)} ${rate.padStart(10)}/s ${((user + system) / requests).toFixed(2).padStart(7)} µs CPU each`,
  );
}

const key = (i) => latin1(`key-${String((i * 7919) % keys).padStart(12, '0')}`);
const value = new Uint8Array(256).fill(7);
const put = (i) => PutRequest.encode(PutRequest.create({ key: key(i), value }));
const get = (serializable) => (i) => RangeRequest.encode(RangeRequest.create({ key: key(i), serializable }));
const txn = (i) =>
  TxnRequest.encode(
    TxnRequest.create({
      success: [
        { request: { case: 'requestPut', value: PutRequest.create({ key: key(i), value }) } },
        { request: { case: 'requestRange', value: RangeRequest.create({ key: key(i + 1) }) } },
      ],
    }),
  );

for (const round of [1, 2]) {
  console.log(`round ${round}: ${requests} requests, ${inFlight} in flight, ${keys} keys`);
  run('put, 256 B', 'Put', put);
  run('get, linearizable', 'Range', get(false));
  run('get, serializable', 'Range', get(true));
  run('txn: a put and a get', 'Txn', txn);
}
