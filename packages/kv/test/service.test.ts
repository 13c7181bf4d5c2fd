import { describe, expect, it } from 'vitest';
import {
  Compare,
  CompareResult,
  CompareTarget,
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from '../src/api/index.ts';
import { StatusCode } from '../src/index.ts';
import { EnvelopeReader } from '../src/machine/envelope.ts';
import { refusals } from './support/refusals.ts';
import { bytes, TestService } from './support/test-service.ts';

const everything = { key: bytes('\0'), rangeEnd: bytes('\0') };

describe('headers', () => {
  it('bear the answering server, its term and the revision of the answer', () => {
    const service = new TestService();
    const { header } = service.call('Put', PutRequest, { key: bytes('a'), value: bytes('1') }, PutResponse);
    const wanted = { clusterId: 0xaaaa_bbbb_cccc_ddddn, memberId: 0xfedc_ba98_7654_3210n, revision: 2, raftTerm: 3 };
    expect(header).toEqual(wanted);
    service.call('Put', PutRequest, { key: bytes('b') }, PutResponse);
    const old = service.call('Range', RangeRequest, { ...everything, revision: 2 }, RangeResponse);
    expect(old.header).toEqual({ ...wanted, revision: 3 });
    expect(old.kvs.map(({ key }) => Buffer.from(key).toString())).toEqual(['a']);
    expect(service.service.header()).toEqual({ ...wanted, revision: 3 });
  });
});

describe('writes', () => {
  it('of clients that want a leader are definitely refused while none is known; others wait for one', () => {
    const service = new TestService();
    service.consensus.setLeader(0n);
    const request = PutRequest.encode(PutRequest.create({ key: bytes('k'), value: bytes('v') }));
    const patient = service.beginRaw('Put', request);
    const impatient = service.beginRaw('Put', request, Number.POSITIVE_INFINITY, { hasleader: 'true' });
    expect(impatient.status).toEqual({
      code: StatusCode.unavailable,
      message: 'etcdserver: no leader',
      outcome: 'refused',
    });
    expect(service.consensus.proposals).toHaveLength(0);
    service.consensus.setLeader(1n);
    service.settle();
    expect(patient.status?.code).toBe(StatusCode.ok);
  });

  it('carry the request as it came, numbered upward from the floor', () => {
    const service = new TestService();
    const call = service.begin('Put', PutRequest, { key: bytes('a'), value: bytes('1') });
    service.begin('Put', PutRequest, { key: bytes('b') });
    const [first, second] = service.consensus.proposals.map(({ command }) => new EnvelopeReader().open(command));
    expect(first?.payload).toEqual(call.request);
    expect(first?.sequence).toBeGreaterThan(1_000_000);
    expect(second?.sequence).toBe((first?.sequence ?? 0) + 1);
  });

  it('wait for a leader before they are proposed, and are proposed once', () => {
    const service = new TestService();
    service.consensus.setLeader(0n);
    const call = service.begin('Put', PutRequest, { key: bytes('a') });
    service.environment.advance(1_000_000);
    expect(service.consensus.proposals).toHaveLength(0);
    service.consensus.setLeader(5n);
    service.consensus.setLeader(6n);
    expect(service.consensus.proposals).toHaveLength(1);
    service.settle();
    expect(call.status?.code).toBe(StatusCode.ok);
  });

  it('that never found a leader are refused for certain when their time is over', () => {
    const service = new TestService();
    service.consensus.setLeader(0n);
    const call = service.begin('Put', PutRequest, { key: bytes('a') }, 500_000);
    service.environment.advance(500_000);
    expect(call.status).toEqual({
      code: StatusCode.deadlineExceeded,
      message: 'context deadline exceeded',
      outcome: 'refused',
    });
    service.consensus.setLeader(5n);
    expect(service.consensus.proposals).toHaveLength(0);
  });

  it('that were proposed have an unknown outcome when their time is over, and are not answered again', () => {
    const service = new TestService();
    const call = service.begin('Put', PutRequest, { key: bytes('a') });
    service.environment.advance(6_999_000);
    expect(call.status).toBeNull();
    service.environment.advance(10_000);
    expect(call.status).toEqual({
      code: StatusCode.unavailable,
      message: 'etcdserver: request timed out',
      outcome: 'unknown',
    });
    service.settle();
    expect(service.machine.store.revision).toBe(2);
  });

  it('tell a definite refusal from an unknown outcome', () => {
    const service = new TestService();
    const refused = service.begin('Put', PutRequest, { key: bytes('a') });
    const unknown = service.begin('Put', PutRequest, { key: bytes('b') });
    const [first, second] = service.consensus.proposals.splice(0);
    first?.done({ kind: 'refused', reason: 'leadershipLost', message: '' });
    second?.done({ kind: 'unknown', message: '' });
    expect(refused.status).toEqual({
      code: StatusCode.unavailable,
      message: 'etcdserver: leader changed',
      outcome: 'refused',
    });
    expect(unknown.status).toEqual({
      code: StatusCode.unavailable,
      message: 'etcdserver: request timed out, possibly due to previous leader failure',
      outcome: 'unknown',
    });
    expect(service.consensus.proposals).toHaveLength(0);
  });

  it('are refused while too many wait, or the state machine is far behind', () => {
    const service = new TestService({ maxPendingWrites: 2 });
    service.begin('Put', PutRequest, { key: bytes('a') });
    service.begin('Put', PutRequest, { key: bytes('a') });
    const third = service.begin('Put', PutRequest, { key: bytes('a') });
    const tooMany = { code: 8, message: 'etcdserver: too many requests', outcome: 'refused' };
    expect(third.status).toEqual(tooMany);
    service.settle();
    service.consensus.committedAhead = 5001;
    expect(service.begin('Put', PutRequest, { key: bytes('a') }).status).toEqual(tooMany);
  });

  it('are all answered when the service closes', () => {
    const service = new TestService();
    const sent = service.begin('Put', PutRequest, { key: bytes('a') });
    service.consensus.setLeader(0n);
    const waiting = service.begin('Put', PutRequest, { key: bytes('a') });
    const read = service.begin('Range', RangeRequest, everything);
    service.service.close();
    const late = service.begin('Put', PutRequest, { key: bytes('a') });
    const stopped = { code: StatusCode.unavailable, message: 'etcdserver: server stopped' };
    expect(sent.status).toEqual({ ...stopped, outcome: 'unknown' });
    expect(waiting.status).toEqual({ ...stopped, outcome: 'refused' });
    expect(late.status).toEqual({ ...stopped, outcome: 'refused' });
    expect(read.status).toEqual(stopped);
  });
});

describe('a request that must be refused', () => {
  it.each(refusals)('$request.method: $message', ({ request, code, message }) => {
    const service = new TestService();
    const call = service.beginRaw(request.method, request.bytes);
    service.settle();
    expect(call.status).toMatchObject({ code, message });
    expect(service.machine.store.revision).toBe(1);
    expect(service.begin('Put', PutRequest, { key: bytes('a') }).status).toBeNull();
  });

  it('is told at once when its operations are too many to be worth decoding', () => {
    const service = new TestService();
    const request = new Uint8Array(1_500_000);
    for (let i = 0; i < request.length; i += 2) request[i] = 18;
    expect(service.beginRaw('Txn', request).status).toEqual({
      code: StatusCode.invalidArgument,
      message: 'etcdserver: too many operations in txn request',
      outcome: 'refused',
    });
  });

  it.each(['Range', 'Put', 'DeleteRange', 'Txn', 'Compact'])('%s: bytes that are no message', (method) => {
    const service = new TestService();
    const call = service.beginRaw(method, new Uint8Array([0x0a, 0x7f, 1]));
    expect(call.status).toMatchObject({ code: StatusCode.internal, outcome: 'refused' });
    expect(call.status?.message).toMatch(/^grpc: error unmarshalling request: Malformed protobuf message: /);
  });

  it('sorts by something unknown', () => {
    const service = new TestService();
    const status = service.failure('Range', RangeRequest, { key: bytes('a'), sortTarget: 9 as 0 });
    expect(status).toEqual({ code: StatusCode.invalidArgument, message: 'etcdserver: invalid sort option' });
  });
});

describe('reads', () => {
  it('of one turn of the loop share one barrier', () => {
    const service = new TestService();
    const calls = [1, 2, 3].map(() => service.begin('Range', RangeRequest, everything));
    service.environment.turn();
    expect(service.consensus.barriers).toHaveLength(1);
    expect(calls.map(({ status }) => status)).toEqual([null, null, null]);
    service.consensus.confirmReads();
    expect(calls.map(({ status }) => status?.code)).toEqual([0, 0, 0]);
  });

  it('ask again until there is a leader', () => {
    const service = new TestService();
    const call = service.begin('Range', RangeRequest, everything);
    for (const reason of ['noLeader', 'leadershipLost', 'noLeader'] as const) {
      service.environment.turn();
      service.consensus.confirmReads({ kind: 'refused', reason, message: '' });
      service.environment.advance(20_000);
    }
    expect(call.status).toBeNull();
    service.settle();
    expect(call.status?.code).toBe(StatusCode.ok);
  });

  it('of clients that want a leader are refused once none is known, and sent elsewhere', () => {
    const service = new TestService();
    const [patient, impatient] = [false, true].map((wantsLeader) => {
      const call = service.begin('Range', RangeRequest, everything);
      if (wantsLeader) call.metadata.set('hasleader', 'true');
      return call;
    });
    service.environment.turn();
    service.consensus.setLeader(0n);
    service.consensus.confirmReads({ kind: 'refused', reason: 'leadershipLost', message: '' });
    expect(impatient?.status).toEqual({ code: StatusCode.unavailable, message: 'etcdserver: no leader' });
    expect(patient?.status).toBeNull();
  });

  it('give up at their deadline, the client’s or the server’s own', () => {
    const service = new TestService();
    const short = service.begin('Range', RangeRequest, everything, 100_000);
    const long = service.begin('Range', RangeRequest, everything);
    service.environment.turn();
    service.environment.advance(8_000_000);
    // Too late: both have had their answer.
    service.consensus.confirmReads();
    expect(short.status).toEqual({ code: StatusCode.deadlineExceeded, message: 'context deadline exceeded' });
    expect(long.status).toEqual({ code: StatusCode.unavailable, message: 'etcdserver: request timed out' });
  });

  it('that are serializable ask nobody', () => {
    const service = new TestService();
    service.consensus.setLeader(0n);
    const call = service.begin('Range', RangeRequest, { ...everything, serializable: true });
    expect(call.status?.code).toBe(StatusCode.ok);
  });

  it('in a transaction that only reads do not go through the log', () => {
    const service = new TestService();
    service.call('Put', PutRequest, { key: bytes('a'), value: bytes('1') }, PutResponse);
    const compare = Compare.create({
      key: bytes('a'),
      target: CompareTarget.VERSION,
      result: CompareResult.EQUAL,
      targetUnion: { case: 'version', value: 1 },
    });
    const operation = { request: { case: 'requestRange', value: RangeRequest.create({ key: bytes('a') }) } } as const;
    const call = service.begin('Txn', TxnRequest, { compare: [compare], success: [operation] });
    expect(service.consensus.proposals).toHaveLength(0);
    service.settle();
    const { succeeded, header, responses } = TxnResponse.decode(call.response as Uint8Array);
    expect(succeeded).toBe(true);
    expect(header?.revision).toBe(2);
    expect(responses[0]?.response.value).toMatchObject({ count: 1, header: { revision: 2 } });
  });
});

describe('large reads', () => {
  const count = 20_000;

  function filled(settings = {}): TestService {
    const service = new TestService(settings);
    for (let i = 0; i < count; i++) service.begin('Put', PutRequest, { key: bytes(`k${String(i).padStart(6, '0')}`) });
    service.settle();
    expect(service.machine.store.revision).toBe(count + 1);
    return service;
  }

  it('run in slices at one revision, while writes go on', () => {
    const service = filled({ scanSliceTime: 0, maxPendingWrites: 100_000 });
    const call = service.begin('Range', RangeRequest, { ...everything, serializable: true });
    let turns = 0;
    for (; call.status === null; turns++) {
      service.begin('Put', PutRequest, { key: bytes(`new${turns}`) });
      service.consensus.commit();
      service.environment.turn();
    }
    // Each key is looked at, sized and written: about four units, of 1024 a slice.
    expect(turns).toBeGreaterThan((4 * count) / 1024 - 5);
    const response = RangeResponse.decode(call.response as Uint8Array);
    expect(response.count).toBe(count);
    expect(response.kvs).toHaveLength(count);
    expect(response.header?.revision).toBe(count + 1);
  });

  it('take turns, and those beyond the limit wait without holding anything', () => {
    const service = filled({ scanSliceTime: 0, maxActiveScans: 2, maxQueuedScans: 1, maxPendingWrites: 100_000 });
    const calls = [1, 2, 3, 4].map(() => service.begin('Range', RangeRequest, { ...everything, serializable: true }));
    expect(calls[3]?.status?.message).toBe('etcdserver: too many requests');
    const small = service.begin('Range', RangeRequest, { key: bytes('k000001'), serializable: true });
    expect(small.status?.code).toBe(StatusCode.ok);
    service.settle();
    expect(calls.slice(0, 3).map((call) => call.status?.code)).toEqual([0, 0, 0]);
    service.call('DeleteRange', DeleteRangeRequest, everything, DeleteRangeResponse);
    service.call('Put', PutRequest, { key: bytes('a') }, PutResponse);
    service.call('Compact', CompactionRequest, { revision: count + 3, physical: true }, CompactionResponse);
    expect(service.machine.store.statistics().versions).toBe(1);
  });

  it('that come all at once share the time of a turn', () => {
    const service = filled({ scanSliceTime: 1, maxPendingWrites: 100_000 });
    // Every look at the clock takes a microsecond.
    service.environment.now = () => service.environment.time++;
    const request = { key: bytes('k0'), rangeEnd: bytes('k00001'), serializable: true };
    const calls = Array.from({ length: 50 }, () => service.begin('Range', RangeRequest, request));
    const answered = () => calls.filter(({ status }) => status !== null).length;
    const seen = [answered()];
    while (answered() < 50) {
      service.environment.turn();
      seen.push(answered());
    }
    expect(seen[0]).toBe(2);
    expect(seen.every((count, turn) => turn === 0 || count - (seen[turn - 1] ?? 0) <= 2)).toBe(true);
    expect(calls.every(({ status }) => status?.code === StatusCode.ok)).toBe(true);
  });

  it('that would answer too much are refused with the advice to set a limit', () => {
    const service = filled({ maxResponseBytes: 10_000, maxPendingWrites: 100_000 });
    const call = service.begin('Range', RangeRequest, { ...everything, serializable: true });
    service.settle();
    expect(call.status?.code).toBe(StatusCode.resourceExhausted);
    expect(call.status?.message).toMatch(/would exceed 10000 bytes; set a limit/);
  });

  it('finish at their revision though it is compacted meanwhile', () => {
    const service = filled({ scanSliceTime: 0, maxPendingWrites: 100_000 });
    const call = service.begin('Range', RangeRequest, { ...everything, serializable: true });
    for (let i = 0; i < count; i++) {
      service.begin('Put', PutRequest, { key: bytes(`k${String(i).padStart(6, '0')}`), value: bytes('later') });
    }
    service.consensus.commit();
    const compaction = service.begin('Compact', CompactionRequest, { revision: 2 * count + 1 });
    service.settle();
    expect(compaction.status?.code).toBe(StatusCode.ok);
    const { kvs } = RangeResponse.decode(call.response as Uint8Array);
    expect(kvs).toHaveLength(count);
    expect(kvs.every(({ value }) => value.length === 0)).toBe(true);
    expect(service.machine.store.statistics().versions).toBe(count);
  });
});

describe('compaction', () => {
  it('is answered at once, or with `physical` when everything dead is freed', () => {
    const service = new TestService({ maxPendingWrites: 100_000 });
    for (let i = 0; i < 30_000; i++) service.begin('Put', PutRequest, { key: bytes(`${i % 10_000}`) });
    service.consensus.commit();
    const logical = service.begin('Compact', CompactionRequest, { revision: 10_001 });
    const physical = service.begin('Compact', CompactionRequest, { revision: 30_001, physical: true });
    service.consensus.commit();
    expect(CompactionResponse.decode(logical.response as Uint8Array).header?.revision).toBe(30_001);
    expect(physical.status).toBeNull();
    expect(service.machine.store.statistics().versions).toBeGreaterThan(10_000);
    service.settle();
    expect(physical.status?.code).toBe(StatusCode.ok);
    expect(service.machine.store.statistics().versions).toBe(10_000);
  });
});
