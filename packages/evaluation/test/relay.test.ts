import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, LOOPBACK } from '@quorate/processes';
import { randomStream } from '@quorate/sim';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LinkFault, RETRANSMISSION_MS, SOUND } from '../src/harness/link.ts';
import { Relay } from '../src/harness/relay.ts';

/** An echo behind a relay. Who connects says no hello, so what holds for strangers holds for it. */
describe('The relay', () => {
  let echo: Server;
  let relay: Relay;
  let port = 0;
  const accepted: Socket[] = [];

  beforeEach(async () => {
    const [outer = 0, inner = 0] = await freePorts(2);
    port = outer;
    echo = createServer((socket) => {
      accepted.push(socket);
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(inner, LOOPBACK, resolve));
    relay = new Relay(randomStream(1, 'relay'));
    await relay.open(0, outer, inner);
  });
  afterEach(async () => {
    await relay.close();
    for (const socket of accepted.splice(0)) socket.destroy();
    await new Promise((resolve) => echo.close(resolve));
  });

  const fault = (part: Partial<LinkFault>): void => relay.setRule(() => SOUND, { ...SOUND, ...part });

  async function open(): Promise<Socket> {
    const socket = connect(port, LOOPBACK);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return socket;
  }

  /** What comes back until so many bytes are there. */
  async function received(socket: Socket, bytes: number): Promise<string> {
    let text = '';
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      text += chunk.toString('latin1');
      if (text.length >= bytes) break;
    }
    return text;
  }

  async function roundTrip(socket: Socket): Promise<number> {
    const began = performance.now();
    socket.write('ping');
    expect(await received(socket, 4)).toBe('ping');
    return performance.now() - began;
  }

  it('passes bytes on, whole and in their order, however many', async () => {
    const socket = await open();
    const sent = Array.from({ length: 200_000 }, (_, at) => String(at % 10))
      .join('')
      .repeat(40);
    socket.write(sent);
    const came = await received(socket, sent.length);
    expect(came === sent).toBe(true);
    socket.destroy();
  });

  it('delays each way', async () => {
    fault({ delayMs: 40 });
    const socket = await open();
    expect(await roundTrip(socket)).toBeGreaterThanOrEqual(79);
    socket.destroy();
  });

  it('makes of a loss what TCP makes of it: a pause, and nothing missing', async () => {
    fault({ lossPercent: 100 });
    const socket = await open();
    expect(await roundTrip(socket)).toBeGreaterThanOrEqual(2 * RETRANSMISSION_MS - 1);
    socket.destroy();
  });

  it('cuts without a word, and delivers when the cut heals', async () => {
    const socket = await open();
    await roundTrip(socket);
    fault({ cut: true });
    const answer = roundTrip(socket);
    expect(await Promise.race([answer, sleep(150, 'silence')])).toBe('silence');
    fault({});
    expect(await answer).toBeGreaterThanOrEqual(149);
    socket.destroy();
  });

  it('lets an end break only where it can be heard', async () => {
    const socket = await open();
    await roundTrip(socket);
    let broke = false;
    socket.on('error', () => (broke = true));
    fault({ cut: true });
    accepted[0]?.resetAndDestroy();
    await sleep(100);
    expect(broke).toBe(false);
    fault({});
    await new Promise((resolve) => socket.once('close', resolve));
    expect(relay.connections).toBe(0);
  });
});
