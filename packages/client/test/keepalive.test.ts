import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { connect } from '@quorate/client';
import { type FakeServer } from './fake-server.ts';
import { failure, one, start, stopAllAfterEach, until } from './support.ts';

stopAllAfterEach();

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

/** A way to a server that can be made to swallow everything, as a host that lost its power does. */
async function blackHoleBefore(server: FakeServer): Promise<{ endpoint: string; swallow(): void }> {
  const sockets = new Set<Socket>();
  const proxy = createServer((inner) => {
    const outer = connectTcp(server.port, '127.0.0.1');
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    inner.pipe(outer).pipe(inner);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  stop = async () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await once(proxy, 'close');
  };
  return {
    endpoint: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    swallow() {
      for (const socket of sockets) socket.unpipe().pause();
    },
  };
}

test('a server that fell silent is given up: reads go elsewhere, writes are unknown', async () => {
  const [a, b] = (await start(2)) as [FakeServer, FakeServer];
  a.leader = 1n;
  b.leader = 1n;
  const hole = await blackHoleBefore(a);
  const client = await connect([hole.endpoint, b.endpoint], {
    keepaliveAfter: 40,
    keepaliveTimeout: 40,
    timeout: 20_000,
  });
  try {
    let last = 0n;
    while (last !== 1n) last = (await client.get('k')).memberId;
    hole.swallow();
    const calls = [client.get('k'), failure(client.put('k', 'v'))] as const;
    expect((await calls[0]).memberId).toBe(2n);
    const error = await calls[1];
    expect(error.code).toBe('OutcomeUnknown');
    expect(error.message).toContain('ping');
  } finally {
    await client.close();
  }
});

test('a server that is slow and answers pings is waited for', async () => {
  const { server, client } = await one({ keepaliveAfter: 20, keepaliveTimeout: 5_000 });
  let pings = 0;
  for (const session of server.sessions) session.on('ping', () => pings++);
  let answer: (() => void) | undefined;
  const { script } = server;
  server.script = (call) => {
    answer = () => script(call);
  };
  const put = client.put('k', 'v');
  await until(() => answer !== undefined && pings >= 2);
  answer?.();
  expect((await put).revision).toBe(42);
});
