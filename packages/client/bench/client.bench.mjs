// What the client itself costs: puts to a server that does nothing but answer, in a process of its own.
//   npx tsc -b && node packages/client/bench/client.bench.mjs
// The last line is the same load on bare node:http2: what the engine under the client leaves at best.

import { fork } from 'node:child_process';
import * as http2 from 'node:http2';
import { fileURLToPath } from 'node:url';
import { PutRequest, PutResponse, ResponseHeader, StatusResponse, services } from '@quorate/kv/api';
import { connect } from '@quorate/client';

const CALLS = 30_000;
const IN_FLIGHT = [1, 16, 64, 256];
const VALUE = new Uint8Array(256).fill(7);

if (process.argv[2] === 'serve') serve();
else await main();

function serve() {
  const header = ResponseHeader.create({ clusterId: 1n, memberId: 2n, revision: 3, raftTerm: 4 });
  const put = framed(PutResponse.encode(PutResponse.create({ header })));
  const status = framed(StatusResponse.encode(StatusResponse.create({ header, leader: 2n, raftTerm: 4 })));
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.end(headers[':path'] === services.KV.Put.path ? put : status);
    });
    stream.resume();
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

async function main() {
  const server = fork(fileURLToPath(import.meta.url), ['serve']);
  const port = await new Promise((resolve) => server.once('message', resolve));
  const client = await connect(`127.0.0.1:${port}`);
  for (const inFlight of IN_FLIGHT) await measure('client', inFlight, () => client.put('/bench/key', VALUE));
  await client.close();

  const session = http2.connect(`http://127.0.0.1:${port}`);
  const frame = framed(PutRequest.encode(PutRequest.create({ key: VALUE.subarray(0, 10), value: VALUE })));
  await measure('node:http2', IN_FLIGHT.at(-1), () => bareCall(session, port, frame));
  session.close();
  server.kill();
}

/** Keeps `inFlight` calls going until all are done; the first tenth warms up. */
async function measure(label, inFlight, call) {
  const run = async (total) => {
    let begun = 0;
    const latencies = [];
    const one = async () => {
      while (begun++ < total) {
        const start = performance.now();
        await call();
        latencies.push(performance.now() - start);
      }
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: inFlight }, one));
    return { seconds: (performance.now() - start) / 1000, latencies: latencies.toSorted((a, b) => a - b) };
  };
  await run(CALLS / 10);
  const { seconds, latencies } = await run(CALLS);
  const at = (share) => `${latencies[Math.floor(latencies.length * share)].toFixed(2)} ms`;
  const rate = `${Math.round(CALLS / seconds)} calls/s`;
  console.log(
    `${label.padEnd(12)} ${String(inFlight).padStart(4)} in flight  ${rate.padStart(16)}  p50 ${at(0.5)}  p99 ${at(0.99)}`,
  );
}

function bareCall(session, port, frame) {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': services.KV.Put.path,
      ':authority': `127.0.0.1:${port}`,
      ':scheme': 'http',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', reject);
    stream.on('end', resolve);
    stream.resume();
    stream.end(frame);
  });
}

function framed(message) {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
