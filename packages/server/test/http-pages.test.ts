import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DebugTopic } from '@quorate/runtime';
import {
  ClientPort,
  createHttp1Server,
  createHttp2Engine,
  createPages,
  defaultHttpLimits,
  type Faults,
  type ServerView,
  type StaticFiles,
} from '@quorate/server';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { now } from './support/rpc-fixture.ts';

describe('The HTTP/1 pages', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0).reverse()) cleanup();
  });

  async function start(
    view: Partial<ServerView> = {},
    limits = {},
    files: StaticFiles | null = null,
  ): Promise<{ url: string; port: number }> {
    let topics: readonly DebugTopic[] = [];
    const whole: ServerView = {
      health: async () => null,
      raft: () => ({ role: 'leader' }),
      explain: () => ({ findings: [] }),
      flight: null,
      debugTopics: () => topics,
      setDebugTopics: (wanted) => {
        topics = wanted;
      },
      faults: null,
      ...view,
    };
    const logger = { log: () => {} };
    const http = createHttp1Server(createPages(whole), logger, { ...defaultHttpLimits, ...limits }, files);
    const engine = createHttp2Engine({ service: { methods: new Map() }, now, logger });
    const port = new ClientPort({ engine, http, logger });
    const bound = await port.listen({ host: '127.0.0.1', port: 0 });
    cleanups.push(() => {
      port.stopListening();
      port.destroy();
    });
    return { url: `http://127.0.0.1:${bound.port}`, port: bound.port };
  }

  it('say that the server is healthy, in etcd’s form', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ health: 'true', reason: '' });
  });

  it('say why it is not, and tell a check of the cluster from one of this server', async () => {
    const { url } = await start({ health: async (serializable) => (serializable ? null : 'RAFT NO LEADER') });
    const response = await fetch(`${url}/health`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ health: 'false', reason: 'RAFT NO LEADER' });
    expect((await fetch(`${url}/health?serializable=true`)).status).toBe(200);
  });

  it('name a version that etcd’s clients can parse', async () => {
    const { url } = await start();
    const version = (await (await fetch(`${url}/version`)).json()) as Record<string, string>;
    expect(version['etcdserver']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(version['etcdcluster']).toBe(version['etcdserver']);
  });

  it('show the raft as JSON', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/debug/raft`)).json()).toEqual({ role: 'leader' });
    const head = await fetch(`${url}/debug/raft`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('switch debug topics', async () => {
    const { url } = await start();
    await fetch(`${url}/debug/topics?topics=reads,votes`, { method: 'PUT' });
    expect(await (await fetch(`${url}/debug/topics`)).json()).toEqual({ topics: ['votes', 'reads'] });
    await fetch(`${url}/debug/topics`, { method: 'PUT', body: 'state' });
    expect(await (await fetch(`${url}/debug/topics`)).json()).toEqual({ topics: ['state'] });
    const wrong = await fetch(`${url}/debug/topics?topics=rubbish`, { method: 'PUT' });
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain('votes, heartbeats, connections, reads, writes, state');
  });

  it('hurt the server only when that was enabled', async () => {
    const { url } = await start();
    for (const page of ['sleep?ms=1', 'partition?from=s2', 'slow?ms=1', 'pool?ms=1&by=waiting']) {
      const response = await fetch(`${url}/debug/${page}`, { method: 'POST' });
      expect(response.status).toBe(403);
      expect(await response.text()).toContain('--enable-fault-injection');
    }
  });

  it('hurt it as asked, and check what is asked', async () => {
    const done: string[] = [];
    const faults: Faults = {
      sleep: (ms) => done.push(`sleep ${ms}`),
      partition: (members) => {
        done.push(`partition ${members.join('+')}`);
        return members.filter((member) => member === 'nobody');
      },
      slow: (ms, what) => done.push(`slow ${what} ${ms}`),
      hogPool: (how, ms) => done.push(`pool ${how} ${ms}`),
    };
    const { url } = await start({ faults });
    const statuses: number[] = [];
    const pages = [
      'sleep?ms=20',
      'sleep?ms=-1',
      'sleep',
      'slow?ms=5',
      'slow?ms=6&what=disk',
      'slow?ms=6&what=paper',
      'pool?ms=7&by=hashing',
      'partition?from=a,b',
      'partition',
      'partition?from=nobody',
    ];
    for (const page of pages) {
      statuses.push((await fetch(`${url}/debug/${page}`, { method: 'POST' })).status);
    }
    expect(statuses).toEqual([200, 400, 400, 200, 200, 400, 200, 200, 200, 400]);
    expect(done).toEqual([
      'sleep 20',
      'slow both 5',
      'slow disk 6',
      'pool hashing 7',
      'partition a+b',
      'partition ',
      'partition nobody',
    ]);
  });

  it('answer 404, 405 and 413 as JSON that says what there is', async () => {
    const { url } = await start();
    const missing = await fetch(`${url}/metrics`);
    expect(missing.status).toBe(404);
    expect(((await missing.json()) as { error: string }).error).toContain('/debug/raft');
    const wrong = await fetch(`${url}/health`, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
    const large = await fetch(`${url}/debug/topics`, { method: 'PUT', body: 'x'.repeat(20_000) });
    expect(large.status).toBe(413);
  });

  it('answer 500 with the reason when a page fails', async () => {
    const { url } = await start({
      explain: () => ({ findings: [] }),
      raft: () => {
        throw new Error('no status');
      },
    });
    const response = await fetch(`${url}/debug/raft`);
    expect([response.status, await response.json()]).toEqual([500, { error: 'no status' }]);
  });

  it('close a connection that sends its headers too slowly', async () => {
    const { port } = await start({}, { headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    await closed;
    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 408/);
  });

  it('refuse headers beyond their limit', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/health`, { headers: { filler: 'x'.repeat(20_000) } });
    expect(response.status).toBe(431);
  });

  it('hand out a page that the server was given, its files only, under its policy', async () => {
    const { url } = await start(
      {},
      {},
      {
        at: '/debug/ui/',
        home: '/debug/ui/#live',
        policy: "default-src 'none'",
        file: (path) =>
          Promise.resolve(path === '/' ? { type: 'text/html', bytes: new TextEncoder().encode('<p>') } : null),
      },
    );
    const page = await fetch(`${url}/debug/ui/`);
    expect(await page.text()).toBe('<p>');
    expect(page.headers.get('content-type')).toBe('text/html');
    expect(page.headers.get('content-security-policy')).toBe("default-src 'none'");
    const home = await fetch(`${url}/debug/ui`, { redirect: 'manual' });
    expect([home.status, home.headers.get('location')]).toEqual([307, '/debug/ui/#live']);
    expect((await fetch(`${url}/debug/ui/other`)).status).toBe(404);
    expect((await fetch(`${url}/debug/ui/`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${url}/debug/raft`)).status).toBe(200);
  });

  describe('of the flight recording', () => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-flight-'));
    writeFileSync(join(folder, '00000002.flight'), 'the second');
    writeFileSync(join(folder, '00000001.flight'), 'the first');
    writeFileSync(join(folder, 'lost+found'), 'no recording');
    afterAll(() => rmSync(folder, { recursive: true }));
    const flight = { directory: folder, isRedacted: true };

    it('lists its files, oldest first, and sends each as it is', async () => {
      const { url } = await start({ flight });
      const list = await fetch(`${url}/debug/flight`);
      expect(await list.json()).toEqual({
        redacted: true,
        files: [
          { sequence: 1, bytes: 9 },
          { sequence: 2, bytes: 10 },
        ],
      });
      const file = await fetch(`${url}/debug/flight?file=2`);
      expect(file.headers.get('content-type')).toBe('application/octet-stream');
      expect(await file.text()).toBe('the second');
      expect((await fetch(`${url}/debug/flight?file=1`, { method: 'HEAD' })).headers.get('content-length')).toBe('9');
    });

    it.each(['3', '../../etc/passwd', '00000001.flight', ''])('has no file "%s"', async (name) => {
      const { url } = await start({ flight });
      expect((await fetch(`${url}/debug/flight?file=${encodeURIComponent(name)}`)).status).toBe(404);
    });

    it('says how to have one where there is none', async () => {
      const { url } = await start();
      const answer = await fetch(`${url}/debug/flight`);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toEqual({
        error: 'This server keeps no flight recording; start it with --flight-recorder',
      });
    });

    it('is not there for a page whose own name leads to this machine', async () => {
      const { port } = await start({ flight });
      const socket = connect(port, '127.0.0.1');
      socket.write('GET /debug/flight HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
      let said = '';
      for await (const chunk of socket) said += String(chunk);
      expect(said).toMatch(/^HTTP\/1\.1 403 /);
      expect(said).toContain('Ask under 127.0.0.1 or localhost');
    });

    it('is empty while nothing was recorded', async () => {
      const { url } = await start({ flight: { directory: join(folder, 'none'), isRedacted: false } });
      expect(await (await fetch(`${url}/debug/flight`)).json()).toEqual({ redacted: false, files: [] });
    });
  });
});
