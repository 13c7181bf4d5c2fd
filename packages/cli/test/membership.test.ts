/** An operator changes a cluster's membership at a terminal: real processes, real disks, loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePorts, LOOPBACK } from '@quorate/processes';
import { QUORATE_ENTRY } from '../src/programs.ts';
import { quorate, type Ran } from './support/command.ts';

interface Server {
  readonly name: string;
  readonly client: string;
  readonly peerUrl: string;
  readonly dataDir: string;
  child: ChildProcess | null;
  exit: Promise<number | null>;
  log: string;
}

let directory = '';
let servers: Server[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-membership-'));
});

afterEach(() => {
  for (const { child } of servers) child?.kill('SIGKILL');
  servers = [];
  rmSync(directory, { recursive: true, force: true });
});

async function newServer(name: string): Promise<Server> {
  const [client = 0, peer = 0] = await freePorts(2);
  const server: Server = {
    name,
    client: `${LOOPBACK}:${client}`,
    peerUrl: `http://${LOOPBACK}:${peer}`,
    dataDir: join(directory, name),
    child: null,
    exit: Promise.resolve(null),
    log: '',
  };
  servers.push(server);
  return server;
}

function start(server: Server, ...flags: readonly string[]): void {
  const args = [
    ['serve', '--name', server.name, '--data-dir', server.dataDir, '--log-format', 'text'],
    ['--listen-client-urls', `http://${server.client}`, '--listen-peer-urls', server.peerUrl],
    ['--heartbeat-interval', '50', '--election-timeout', '500', ...flags],
  ].flat();
  const child = spawn(process.execPath, [QUORATE_ENTRY, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  server.log = '';
  child.stderr.on('data', (chunk: Buffer) => (server.log += chunk.toString('utf8')));
  server.child = child;
  server.exit = new Promise((resolve) => child.on('close', resolve));
}

async function logged(server: Server, text: string): Promise<void> {
  while (!server.log.includes(text)) {
    if (server.child?.exitCode !== null) throw new Error(`${server.name} is gone:\n${server.log}`);
    await sleep(20);
  }
}

const ready = async (server: Server): Promise<void> => logged(server, 'ready to serve client requests');
const votes = async (server: Server): Promise<void> => logged(server, 'this server votes now');

function at(endpoints: readonly Server[], ...args: string[]): Promise<Ran> {
  return quorate([...args, '--endpoints', endpoints.map(({ client }) => client).join(','), '--command-timeout', '20s']);
}

/** One server that founded a cluster by itself, and others that have joined it. */
async function cluster(...names: readonly string[]): Promise<Server[]> {
  const members: Server[] = [];
  for (const name of names) {
    const server = await newServer(name);
    const [first] = members;
    start(server, ...(first === undefined ? [] : ['--join', first.client]));
    await ready(server);
    if (first !== undefined) await votes(server);
    members.push(server);
  }
  return members;
}

/**
 * Kills a server. Of a write that is then still handed on to it, as to the leader, nobody knows what came of it: so the others are asked
 * first. Who answers a linearizable read knows a living leader.
 */
async function dies(server: Server, others: readonly Server[]): Promise<void> {
  server.child?.kill('SIGKILL');
  await server.exit;
  for (const other of others) expect(await at([other], 'get', 'k')).toMatchObject({ code: 0 });
}

/** `name, voter or learner` of every member, as a server shows it. */
async function members(endpoints: readonly Server[]): Promise<readonly string[]> {
  const { out } = await at(endpoints, 'member', 'list');
  const rows = out.trim().split('\n');
  return rows.map((row) => row.split(', ')).map((cells) => `${cells[2]} ${cells[5] === 'true' ? 'learner' : 'voter'}`);
}

/** Until so many are members, started or not. Who asks to be let in before somebody else adds it would be added twice. */
async function membersBecome(count: number, endpoints: readonly Server[]): Promise<void> {
  while ((await members(endpoints)).length < count) await sleep(20);
}

describe('a server joins by itself', () => {
  test('is let in, caught up and promoted, says so, and goes on after a restart', async () => {
    const [a, b, c] = (await cluster('a', 'b', 'c')) as [Server, Server, Server];
    expect(b.log).toContain('Let in as a learner that is to vote; catching up');
    expect(await members([a])).toEqual(expect.arrayContaining(['a voter', 'b voter', 'c voter']));
    expect(await at([c], 'put', 'k', 'v')).toMatchObject({ code: 0 });
    b.child?.kill('SIGTERM');
    expect(await b.exit).toBe(0);
    start(b, '--join', a.client);
    await votes(b);
    expect((await at([b], 'get', 'k')).out).toBe('k\nv\n');
  }, 90_000);

  test('comes back after it lost its disk, but not while it still runs', async () => {
    const [a, b, c] = (await cluster('a', 'b', 'c')) as [Server, Server, Server];
    await at([a], 'put', 'k', 'v');
    const twin = { ...(await newServer('twin')), name: 'c', peerUrl: c.peerUrl };
    servers.push(twin);
    start(twin, '--join', a.client);
    expect(await twin.exit).toBe(1);
    expect(twin.log).toContain('it runs on another data directory');
    c.child?.kill('SIGKILL');
    await c.exit;
    rmSync(c.dataDir, { recursive: true });
    await sleep(2_000);
    start(c, '--join', b.client);
    await votes(c);
    expect(c.log).toContain('asks to be readmitted');
    // Now the cluster can do without another one.
    await dies(b, [a, c]);
    expect((await at([a, c], 'put', 'k', 'w')).code).toBe(0);
    expect((await at([c], 'get', 'k')).out).toBe('k\nw\n');
  }, 90_000);

  test('needs somebody to ask', async () => {
    const server = await newServer('lonely');
    start(server, '--initial-cluster-state', 'existing');
    expect(await server.exit).toBe(2);
    expect(server.log).toContain('add --join HOST:PORT');
  }, 60_000);
});

describe('quorate member', () => {
  test('lets ten servers in by one change, which a trial run shows before', async () => {
    const [first] = (await cluster('s0')) as [Server];
    await at([first], 'put', 'k', 'v');
    const others = await Promise.all(Array.from({ length: 10 }, async (_, at) => newServer(`s${at + 1}`)));
    const additions = others.flatMap(({ name, peerUrl }) => ['--add', `${name}=${peerUrl}`]);
    const trial = await at([first], 'member', 'change', ...additions, '--dry-run');
    expect(trial.out).toMatch(/^Version 1 of the membership would be:\n/);
    expect(trial.out.match(/learner, unstarted +\| voter/g)).toHaveLength(10);
    expect(await members([first])).toEqual(['s0 voter']);

    const change = at([first], 'member', 'change', ...additions);
    await membersBecome(11, [first]);
    for (const server of others) start(server, '--join', first.client);
    const { code, out, err } = await change;
    expect({ code, added: out.match(/added to cluster/g)?.length }).toEqual({ code: 0, added: 10 });
    expect(err).toMatch(/Catching up: .*s10/);
    expect((await members([first])).toSorted()).toEqual(
      [first, ...others].map(({ name }) => `${name} voter`).toSorted(),
    );
    expect((await at(others.slice(0, 1), 'get', 'k')).out).toBe('k\nv\n');
  }, 120_000);

  test('replaces all servers by others in one change; the old ones hear of it and leave', async () => {
    const old = await cluster('a', 'b', 'c');
    await at(old, 'put', 'k', 'v');
    const fresh = await Promise.all(['d', 'e', 'f'].map(newServer));
    const change = at(
      old,
      'member',
      'change',
      ...fresh.flatMap(({ name, peerUrl }) => ['--add', `${name}=${peerUrl}`]),
      ...old.flatMap(({ name }) => ['--remove', name]),
    );
    const [first] = old;
    await membersBecome(6, old);
    for (const server of fresh) start(server, '--join', first?.client ?? '');
    expect((await change).code).toBe(0);
    expect(await Promise.all(old.map(async ({ exit }) => exit))).toEqual([0, 0, 0]);
    for (const { log } of old) expect(log).toContain('has left its cluster and stops');
    expect((await members(fresh)).toSorted()).toEqual(['d voter', 'e voter', 'f voter']);
    expect((await at(fresh, 'get', 'k')).out).toBe('k\nv\n');
  }, 120_000);

  test('refuses what is not meant or cannot be, and says why', async () => {
    const [a] = (await cluster('a')) as [Server];
    expect(await at([a], 'member', 'remove', 'nobody')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/"nobody" is no member. The members are [0-9a-f]+ \(a\)/) as string,
    });
    expect((await at([a], 'member', 'change')).code).toBe(2);
    expect((await at([a], 'member', 'add', 'b', '--peer-urls', 'rubbish')).code).toBe(2);
    const stale = await at([a], 'member', 'demote', 'a', '--version', '99');
    expect(stale.code).toBe(1);
    expect(stale.err).toContain('The membership has changed since it was looked at');
    expect((await at([a], 'member', 'remove', 'a')).err).toContain('not enough started members');
  }, 60_000);
});

describe('leadership', () => {
  test('is moved, is handed over on SIGTERM, and goes with a server that leaves', async () => {
    const [a, b, c] = (await cluster('a', 'b', 'c')) as [Server, Server, Server];
    const moved = await at([a, b, c], 'move-leader', 'b');
    expect(moved.out).toMatch(/^Leadership transferred from [0-9a-f]+ to [0-9a-f]+\n$/);
    b.child?.kill('SIGTERM');
    expect(await b.exit).toBe(0);
    expect(b.log).toContain('The leadership is handed over');
    start(b, '--join', a.client);
    await votes(b);
    for (const leaver of [a, c]) {
      expect(await at([leaver], 'leave')).toMatchObject({ code: 0 });
      expect(await leaver.exit).toBe(0);
    }
    expect(await members([b])).toEqual(['b voter']);
    expect((await at([b], 'put', 'alone', 'but well')).code).toBe(0);
  }, 90_000);
});

describe('quorate explain', () => {
  test('says that nothing waits, and why there is no leader when a majority is gone', async () => {
    const [a, b, c] = (await cluster('a', 'b', 'c')) as [Server, Server, Server];
    const well = await at([a, b, c], 'explain');
    expect(well.code).toBe(0);
    expect(well.out.match(/Nothing waits here/g)).toHaveLength(3);
    for (const gone of [b, c]) gone.child?.kill('SIGKILL');
    let ran = await at([a, b, c], 'explain');
    // Its connections and its leadership, if it had it, need a moment to go.
    while (!ran.out.includes('There is no leader: 2 of 3 voters are needed')) ran = await at([a, b, c], 'explain');
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/this server reaches 1, itself included. Not reached: [bc] at .*; [bc] at /);
    expect(ran.out).toContain(`${b.client}: no answer`);
  }, 60_000);
});

describe('a lost majority', () => {
  test('is recovered from one server: what may be lost is said first, and the old servers stay out', async () => {
    const [a, b, c] = (await cluster('a', 'b', 'c')) as [Server, Server, Server];
    for (let i = 0; i < 20; i++) expect((await at([a], 'put', `k${i}`, `v${i}`)).code).toBe(0);
    const recover = async (...more: string[]): Promise<Ran> =>
      quorate(['recover', '--force-new-cluster', '--data-dir', a.dataDir, ...more]);
    expect(await recover('--yes')).toMatchObject({ code: 1, err: expect.stringContaining('held by') as string });
    for (const { child } of [a, b, c]) child?.kill('SIGKILL');
    await Promise.all([a, b, c].map(async ({ exit }) => exit));
    rmSync(c.dataDir, { recursive: true });

    const said = await recover();
    expect(said).toMatchObject({ code: 0 });
    expect(said.out).toContain('Lost for good is every write');
    expect(said.out).toContain('Nothing was changed');
    expect((await recover('--yes')).out).toContain('Done. This server is now all of cluster');
    start(a);
    expect(await a.exit).toBe(1);
    expect(a.log).toContain('add --initial-cluster-state existing');
    start(a, '--initial-cluster-state', 'existing');
    await ready(a);
    expect((await at([a], 'get', 'k', '--prefix', '--count-only')).out).toBe('20\n');
    expect(await members([a])).toEqual(['a voter']);

    // With its old data the other one is of another cluster, and hears it.
    start(b, '--join', a.client);
    expect(await b.exit).toBe(1);
    expect(b.log).toMatch(/belongs to cluster [0-9a-f]{16}, but --join leads to cluster [0-9a-f]{16}/);
    rmSync(b.dataDir, { recursive: true });
    for (const server of [b, c]) {
      start(server, '--join', a.client);
      await votes(server);
    }
    await dies(a, [b, c]);
    expect((await at([b, c], 'put', 'after', 'all')).code).toBe(0);
    expect((await at([c], 'get', 'k', '--prefix', '--count-only')).out).toBe('20\n');
  }, 120_000);
});
