/** The same random requests to a real etcd and to our service: the same answers and the same errors, byte for byte. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import * as http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@quorate/processes';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';
import type { RequestOp, TxnRequest } from '../src/api/index.ts';
import { asCompact, asDeleteRange, asPut, asRange, asTxn, type EncodedRequest, refusals } from './support/refusals.ts';
import { deleteRange, put, range, txn } from './support/requests.ts';
import { TestService } from './support/test-service.ts';

const request: fc.Arbitrary<EncodedRequest> = fc.oneof(
  { weight: 8, arbitrary: put.map(asPut) },
  { weight: 4, arbitrary: deleteRange.map(asDeleteRange) },
  { weight: 8, arbitrary: txn.filter((each) => !crashesEtcd(each)).map(asTxn) },
  { weight: 12, arbitrary: range.map(asRange) },
  { weight: 1, arbitrary: fc.integer({ min: -2, max: 400 }).map(asCompact) },
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
    for (const { request, code, message } of refusals) {
      expect(await etcd.call(request)).toEqual({ code, message });
      expect(answerOf(service, request)).toEqual({ code, message });
    }
  });
});

function answerOf(service: TestService, { method, bytes, response }: EncodedRequest): unknown {
  const call = service.beginRaw(method, bytes);
  service.settle();
  if (call.response !== null) return comparable(response, call.response);
  return { code: call.status?.code, message: call.status?.message };
}

/** The whole response; of its header what does not depend on who answers. */
function comparable(type: EncodedRequest['response'], bytes: Uint8Array): unknown {
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
    const [client, peer] = await freePorts(2);
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
  async call({ method, bytes, response }: EncodedRequest): Promise<unknown> {
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
