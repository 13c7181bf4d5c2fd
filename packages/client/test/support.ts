import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import { type Client, type ClientError, type ClientOptions, connect } from '@quorate/client';
import { FakeServer } from './fake-server.ts';

export const utf8 = new TextEncoder();

let servers: FakeServer[] = [];
let clients: Client[] = [];

/** To be called once in every test file: test files share modules, hooks belong to a file. */
export function stopAllAfterEach(): void {
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    await Promise.all(clients.map((client) => client.close()));
    servers = [];
    clients = [];
  });
}

export async function start(count: number): Promise<FakeServer[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => startAt(BigInt(i + 1))));
}

export async function startAt(memberId: bigint, port = 0): Promise<FakeServer> {
  const server = new FakeServer(memberId);
  servers.push(server);
  await server.listen(port);
  return server;
}

export async function connectTo(some: readonly FakeServer[], options: ClientOptions = {}): Promise<Client> {
  const client = await connect(
    some.map(({ endpoint }) => endpoint),
    options,
  );
  clients.push(client);
  return client;
}

export async function one(options: ClientOptions = {}): Promise<{ server: FakeServer; client: Client }> {
  const [server] = (await start(1)) as [FakeServer];
  return { server, client: await connectTo([server], options) };
}

export async function failure(promise: Promise<unknown>): Promise<ClientError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toMatchObject({ name: 'ClientError' });
  return outcome as ClientError;
}

/** Waits for what has to come; the test's own timeout bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}

/** Waits until the client has noticed that its only server is gone: from then on it has no connection to send on. */
export async function untilGone(client: Client): Promise<void> {
  while (!(await failure(client.get('k', { timeout: 50 }))).message.includes('ECONNREFUSED'));
}
