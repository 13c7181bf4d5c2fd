/** The same random requests to a real etcd and to our service: the same answers and the same errors, byte for byte. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import * as http2 from 'node:http2';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';
import {
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  type MessageType,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  type RequestOp,
  type ResponseHeader,
  TxnRequest,
  TxnResponse,
} from '../src/api/index.ts';
import { deleteRange, put, range, txn } from './support/requests.ts';
import { TestService } from './support/test-service.ts';

interface Request {
  readonly method: string;
  readonly bytes: Uint8Array;
  readonly response: MessageType<{ header: ResponseHeader | undefined }>;
}

const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 8, arbitrary: put.map((each) => encoded('Put', PutRequest, each, PutResponse)) },
  {
    weight: 4,
    arbitrary: deleteRange.map((each) => encoded('DeleteRange', DeleteRangeRequest, each, DeleteRangeResponse)),
  },
  {
    weight: 8,
    arbitrary: txn.filter((each) => !crashesEtcd(each)).map((each) => encoded('Txn', TxnRequest, each, TxnResponse)),
  },
  { weight: 12, arbitrary: range.map((each) => encoded('Range', RangeRequest, each, RangeResponse)) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: -2, max: 400 })
      .map((revision) => encoded('Compact', CompactionRequest, { revision, physical: false }, CompactionResponse)),
  },
);

/**
 * etcd 3.4 dies of a transaction that deletes to the end of the key space (which slips through the check for keys changed
 * twice) and then puts a deleted key with ignore_value or ignore_lease.
 */
function crashesEtcd(request: TxnRequest): boolean {
  const operations = operationsOf(request);
  const deletesToEnd = operations.some(
    ({ case: kind, value }) => kind === 'requestDeleteRange' && value.rangeEnd.length === 1 && value.rangeEnd[0] === 0,
  );
  const keeps = operations.some(
    ({ case: kind, value }) => kind === 'requestPut' && (value.ignoreValue || value.ignoreLease),
  );
  return deletesToEnd && keeps;
}

function operationsOf(txn: TxnRequest): RequestOp['request'][] {
  return [...txn.success, ...txn.failure].flatMap(({ request }) =>
    request.case === 'requestTxn' ? operationsOf(request.value) : [request],
  );
}

function encoded<T, R extends { header: ResponseHeader | undefined }>(
  method: string,
  type: MessageType<T>,
  message: T,
  response: MessageType<R>,
): Request {
  return { method, bytes: type.encode(message), response };
}

describeWithPeer('etcd', 'beside a real etcd', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await Etcd.start();
  });
  afterAll(async () => {
    await etcd.stop();
  });

  it('every request has the same answer', async () => {
    const seed = Number(process.env['QUORATE_SEED'] ?? 1_117);
    const service = new TestService();
    for (const [i, each] of fc.sample(request, { numRuns: 3_000, seed }).entries()) {
      const theirs = await etcd.call(each);
      const ours = answerOf(service, each);
      expect(ours, `request ${i} of seed ${seed}: ${each.method} ${Buffer.from(each.bytes).toString('hex')}`).toEqual(
        theirs,
      );
    }
  }, 60_000);

  it('requests that must be refused are refused in the same words', async () => {
    const service = new TestService();
    for (const each of refusable()) {
      const theirs = await etcd.call(each);
      expect(theirs).toHaveProperty('code');
      expect(answerOf(service, each), each.method).toEqual(theirs);
    }
  });
});

function refusable(): Request[] {
  const a = new Uint8Array([97]);
  const putA = { request: { case: 'requestPut', value: PutRequest.create({ key: a }) } } as const;
  const deleteA = { request: { case: 'requestDeleteRange', value: DeleteRangeRequest.create({ key: a }) } } as const;
  const nested = (...success: TxnRequest['success']) =>
    ({ request: { case: 'requestTxn', value: TxnRequest.create({ success }) } }) as const;
  const txns: Partial<TxnRequest>[] = [
    { success: [putA, putA] },
    { failure: [putA, deleteA] },
    { success: [putA, nested(putA)] },
    { success: [nested(deleteA), putA] },
    { success: Array.from({ length: 129 }, () => deleteA) },
    { success: [{ request: { case: undefined } }] },
    { success: [{ request: { case: 'requestRange', value: RangeRequest.create() } }] },
    { success: [{ request: { case: 'requestPut', value: PutRequest.create() } }] },
    { success: [{ request: { case: 'requestDeleteRange', value: DeleteRangeRequest.create() } }] },
  ];
  const puts: Partial<PutRequest>[] = [
    {},
    { key: a, value: a, ignoreValue: true },
    { key: a, lease: 3n, ignoreLease: true },
    { key: a, lease: 3n },
    { key: new Uint8Array([1, 2, 3]), ignoreValue: true },
    { key: new Uint8Array([1, 2, 3]), ignoreLease: true },
    { key: a, value: new Uint8Array(1.5 * 1024 * 1024) },
  ];
  return [
    ...puts.map((each) => encoded('Put', PutRequest, PutRequest.create(each), PutResponse)),
    ...txns.map((each) => encoded('Txn', TxnRequest, TxnRequest.create(each), TxnResponse)),
    encoded('Range', RangeRequest, RangeRequest.create(), RangeResponse),
    encoded('Range', RangeRequest, RangeRequest.create({ key: a, revision: 1_000_000 }), RangeResponse),
    encoded('DeleteRange', DeleteRangeRequest, DeleteRangeRequest.create(), DeleteRangeResponse),
    encoded('Compact', CompactionRequest, { revision: 1_000_000, physical: false }, CompactionResponse),
    encoded('Compact', CompactionRequest, { revision: -1, physical: false }, CompactionResponse),
  ];
}

function answerOf(service: TestService, { method, bytes, response }: Request): unknown {
  const call = service.beginRaw(method, bytes);
  service.settle();
  if (call.response !== null) return comparable(response, call.response);
  return { code: call.status?.code, message: call.status?.message };
}

/** The whole response; of its header what does not depend on who answers. */
function comparable(type: Request['response'], bytes: Uint8Array): unknown {
  const message = type.decode(bytes);
  return { ...message, header: message.header?.revision };
}

/** An etcd of its own, in a directory of its own. */
class Etcd {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #session: http2.ClientHttp2Session;

  private constructor(process: ChildProcess, directory: string, session: http2.ClientHttp2Session) {
    this.#process = process;
    this.#directory = directory;
    this.#session = session;
  }

  static async start(): Promise<Etcd> {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-etcd-'));
    const [client, peer] = [await freePort(), await freePort()];
    const urls = { client: `http://127.0.0.1:${client}`, peer: `http://127.0.0.1:${peer}` };
    const child = spawn(
      findPeer('etcd') as string,
      [
        ['--data-dir', directory, '--logger', 'zap', '--log-level', 'error'],
        ['--listen-client-urls', urls.client, '--advertise-client-urls', urls.client],
        ['--listen-peer-urls', urls.peer, '--initial-advertise-peer-urls', urls.peer],
        ['--initial-cluster', `default=${urls.peer}`],
      ].flat(),
      { stdio: 'ignore' },
    );
    await answering(`${urls.client}/health`);
    return new Etcd(child, directory, http2.connect(urls.client));
  }

  async stop(): Promise<void> {
    this.#session.close();
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** The response, or the gRPC status if the call failed. */
  async call({ method, bytes, response }: Request): Promise<unknown> {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `/etcdserverpb.KV/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(bytes.length, 1);
    stream.end(Buffer.concat([prefix, bytes]));
    const chunks: Buffer[] = [];
    let headers: http2.IncomingHttpHeaders = {};
    const keep = (received: http2.IncomingHttpHeaders): void => {
      headers = { ...headers, ...received };
    };
    stream.on('response', keep);
    stream.on('trailers', keep);
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    if (headers['grpc-status'] === undefined) throw new Error('etcd has gone away without an answer');
    const code = Number(headers['grpc-status']);
    if (code !== 0) return { code, message: decodeURIComponent(String(headers['grpc-message'])) };
    return comparable(response, new Uint8Array(Buffer.concat(chunks).subarray(5)));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Waits until somebody answers there. */
async function answering(url: string): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(url);
      if (response.ok) return;
    } catch (error) {
      // Refused: it does not listen yet. The test's own time limit ends a wait that is in vain.
      if (!(error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
