import { describe, expect, test } from 'vitest';
import { CallOutcome, StatusCode } from '@quorate/kv/api';
import { type FakeCall, type FakeServer } from './fake-server.ts';
import { connectTo, failure, start, stopAllAfterEach, until } from './support.ts';

stopAllAfterEach();

/** Three servers that agree on who leads. */
async function threeLedBy(leader: bigint, term = 1): Promise<[FakeServer, FakeServer, FakeServer]> {
  const servers = (await start(3)) as [FakeServer, FakeServer, FakeServer];
  elect(servers, leader, term);
  return servers;
}

function elect(servers: readonly FakeServer[], leader: bigint, term: number): void {
  for (const server of servers) Object.assign(server, { leader, term });
}

describe('who leads', () => {
  test('is asked for once, and then calls go there', async () => {
    const servers = await threeLedBy(3n);
    const client = await connectTo(servers);
    await until(() => servers[2].statusCalls > 0);
    let last = 0n;
    while (last !== 3n) last = (await client.put('k', 'v')).memberId;
    const asked = servers.map(({ statusCalls }) => statusCalls);
    for (let i = 0; i < 50; i++) expect((await client.put('k', 'v')).memberId).toBe(3n);
    expect(servers.map(({ statusCalls }) => statusCalls)).toEqual(asked);
  });

  test('is known before the first call: none makes a detour by a server that may be slow', async () => {
    const servers = await threeLedBy(3n);
    // As one whose disk stands still: what it should write or read never comes to an end.
    servers[0].script = () => undefined;
    servers[1].script = () => undefined;
    const client = await connectTo(servers);
    const answers = await Promise.all(Array.from({ length: 16 }, () => client.put('k', 'v')));
    expect(answers.map(({ memberId }) => memberId)).toEqual(Array.from({ length: 16 }, () => 3n));
  });

  test('is not waited for when it may be a server that does not say who it is', async () => {
    const servers = await threeLedBy(3n);
    servers[2].onStatus = () => undefined;
    const client = await connectTo(servers);
    expect((await client.put('k', 'v')).revision).toBe(42);
  });

  test('is not waited for any longer when the signal fires', async () => {
    const servers = await threeLedBy(3n);
    const stop = new AbortController();
    servers[2].onStatus = () => stop.abort(new Error('enough'));
    const error = await failure(connectTo(servers, { signal: stop.signal }));
    expect(error).toMatchObject({ code: 'Aborted', cause: new Error('enough') });
  });

  test('is asked for anew when an answer shows a higher term', async () => {
    const servers = await threeLedBy(1n);
    const client = await connectTo(servers);
    let last = 0n;
    while (last !== 1n) last = (await client.put('k', 'v')).memberId;
    elect(servers, 2n, 5);
    while (last !== 2n) last = (await client.put('k', 'v')).memberId;
    expect(last).toBe(2n);
  });

  test('is asked for anew when the leader dies', async () => {
    const servers = await threeLedBy(1n);
    const client = await connectTo(servers);
    let last = 0n;
    while (last !== 1n) last = (await client.get('k')).memberId;
    await servers[0].kill();
    elect(servers, 3n, 2);
    while (last !== 3n) last = (await client.get('k')).memberId;
    expect(last).toBe(3n);
  });

  test.each([
    ['says nothing', () => undefined],
    ['lets deadlines pass', (call: FakeCall) => call.fail(StatusCode.deadlineExceeded, 'context deadline exceeded')],
  ])(
    'is looked for elsewhere when the leader that we know %s: it may be cut off from the others',
    async (_, script) => {
      const servers = await threeLedBy(1n);
      const client = await connectTo(servers);
      let last = 0n;
      while (last !== 1n) last = (await client.put('k', 'v')).memberId;
      servers[0].script = script;
      elect([servers[1], servers[2]], 2n, 2);
      await failure(client.put('k', 'v', { timeout: 100 }));
      while (last !== 2n) last = (await client.put('k', 'v', { timeout: 1_000 })).memberId;
      expect(last).toBe(2n);
    },
  );

  test('is no matter of life and death: without a leader every server is as good as another', async () => {
    const servers = await threeLedBy(0n);
    const client = await connectTo(servers);
    for (let i = 0; i < 20; i++) expect((await client.put('k', 'v')).revision).toBe(42);
  });

  test('a leader on none of the endpoints that we were given: the others carry the calls', async () => {
    const servers = await threeLedBy(99n);
    const client = await connectTo(servers);
    for (let i = 0; i < 20; i++) expect((await client.put('k', 'v')).revision).toBe(42);
  });

  test('a stale answer about an older term changes nothing', async () => {
    const servers = await threeLedBy(2n, 7);
    const client = await connectTo(servers);
    let last = 0n;
    while (last !== 2n) last = (await client.put('k', 'v')).memberId;
    Object.assign(servers[0], { leader: 1n, term: 6 });
    servers[1].script = (call) => call.fail(StatusCode.unavailable, 'stepping down', CallOutcome.refused);
    elect([servers[1], servers[2]], 3n, 8);
    while (last !== 3n) last = (await client.put('k', 'v')).memberId;
    for (let i = 0; i < 10; i++) expect((await client.put('k', 'v')).memberId).toBe(3n);
  });

  test('Status that answers rubbish, or never, does no harm', async () => {
    const servers = await threeLedBy(1n);
    const client = await connectTo(servers);
    for (const server of servers) server.onStatus = (call) => call.replyBytes(Buffer.from('rubbish'));
    elect(servers, 2n, 9);
    for (let i = 0; i < 20; i++) expect((await client.put('k', 'v')).revision).toBe(42);
  });
});
