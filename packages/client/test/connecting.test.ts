import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { connect } from '@quorate/client';
import { afterEach, expect, test } from 'vitest';
import { type FakeServer } from './fake-server.ts';
import { start, stopAllAfterEach } from './support.ts';

stopAllAfterEach();

const CHANNEL = 'net.client.socket';
let forget: (() => void) | undefined;
afterEach(() => forget?.());

/** The next connection breaks behind the moment in which it was made, and before anybody hears that it was. */
function breakNextConnection(): void {
  const onSocket = (message: unknown): void => {
    unsubscribe(CHANNEL, onSocket);
    const { socket } = message as { readonly socket: Socket };
    socket.once('connect', () => process.nextTick(() => socket.emit('error', new Error('read ECONNRESET'))));
  };
  subscribe(CHANNEL, onSocket);
  forget = () => void unsubscribe(CHANNEL, onSocket);
}

test('a server that dies while it is connected to is connected to again', async () => {
  const [server] = (await start(1)) as [FakeServer];
  breakNextConnection();
  const client = await connect(server.endpoint);
  try {
    expect((await client.get('k')).memberId).toBe(1n);
  } finally {
    await client.close();
  }
});
