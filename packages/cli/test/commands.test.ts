import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientAddress, freePorts, type LocalServer } from '@quorate/processes';
import { Trial } from '../src/acceptance/trial.ts';
import { quorate, type Ran } from './support/command.ts';

let server: LocalServer;
let trial: Promise<void>;
let finish: () => void = () => undefined;

beforeAll(async () => {
  await new Promise<void>((started, failed) => {
    trial = Trial.run({ servers: 1, report: () => undefined }, async (running) => {
      server = running.cluster.server(0);
      started();
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    trial.catch(failed);
  });
}, 60_000);

afterAll(async () => {
  finish();
  await trial;
});

const at = (...args: string[]): Promise<Ran> => quorate([...args, '--endpoints', clientAddress(server.member)]);

describe('put, get, del', () => {
  test('a value is written, replaced and read', async () => {
    expect(await at('put', 'greeting', 'hello')).toMatchObject({ code: 0, out: 'OK\n', err: '' });
    expect(await at('put', 'greeting', 'world', '--prev-kv')).toMatchObject({ out: 'OK\ngreeting\nhello\n' });
    expect(await at('get', 'greeting')).toMatchObject({ code: 0, out: 'greeting\nworld\n' });
    expect(await at('get', 'greeting', '--print-value-only', '--consistency', 's')).toMatchObject({ out: 'world\n' });
    expect(await at('get', 'greeting', '--rev', '2')).toMatchObject({ out: 'greeting\nhello\n' });
  });

  test('a value may come from standard input', async () => {
    const ran = await quorate(['put', 'piped', '--endpoints', clientAddress(server.member)], 'line one\nline two');
    expect(ran).toMatchObject({ code: 0, out: 'OK\n' });
    expect(await at('get', 'piped', '--hex', '--print-value-only')).toMatchObject({
      out: `${Array.from(Buffer.from('line one\nline two'), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}\n`,
    });
  });

  test('ranges, orders, limits and counts', async () => {
    for (const [key, value] of [
      ['r/1', 'c'],
      ['r/2', 'b'],
      ['r/3', 'a'],
    ] as const)
      await at('put', key, value);
    expect((await at('get', '--prefix', 'r/', '--keys-only')).out).toBe('r/1\n\nr/2\n\nr/3\n\n');
    expect((await at('get', 'r/1', 'r/3', '--order', 'DESCEND', '--print-value-only')).out).toBe('b\nc\n');
    expect((await at('get', '--prefix', 'r/', '--sort-by', 'VALUE', '--limit', '1')).out).toBe('r/3\na\n');
    expect((await at('get', '--prefix', 'r/', '--count-only')).out).toBe('3\n');
    expect(await at('del', '--prefix', 'r/', '--prev-kv')).toMatchObject({ out: '3\nr/1\nc\nr/2\nb\nr/3\na\n' });
    expect(await at('get', '--prefix', 'r/')).toMatchObject({ code: 0, out: '' });
  });

  test('JSON has base64 and exact ids, as etcdctl writes it', async () => {
    await at('put', 'j', 'x');
    const { out } = await at('get', 'j', '-w', 'json');
    expect(out).toMatch(
      /^\{"header":\{"cluster_id":\d+,"member_id":\d+,"revision":\d+,"raft_term":\d+\},"kvs":\[\{"key":"ag=="/,
    );
    expect(out).toContain('"version":1,"value":"eA=="}],"count":1}');
  });
});

describe('txn, status, member list', () => {
  test('a transaction takes one of two ways', async () => {
    const txn = 'version("t") = "0"\n\nput t first\nget t\n\nput t second\n\n';
    const run = (): Promise<Ran> => quorate(['txn', '--endpoints', clientAddress(server.member)], txn);
    expect(await run()).toMatchObject({ code: 0, out: 'SUCCESS\n\nOK\n\nt\nfirst\n' });
    expect(await run()).toMatchObject({ code: 0, out: 'FAILURE\n\nOK\n' });
  });

  test('status and member list show the server', async () => {
    expect((await at('status')).out).toContain(`${clientAddress(server.member)}, `);
    expect((await at('status', '-w', 'table')).out).toMatch(/\| IS LEADER \|/);
    expect((await at('status')).out).toMatch(/: protocol version 1 in use; it speaks 1 to 1/);
    expect((await at('status', '-w', 'json')).out).toContain('"versionInUse":1');
    expect((await at('member', 'list')).out).toContain(', started, s1, ');
    expect((await at('member', 'list', '-w', 'json')).out).toContain('"name":"s1"');
  });

  test('an endpoint that does not answer is named, the others are shown, and the command fails', async () => {
    const [closed] = await freePorts(1);
    const endpoints = `127.0.0.1:${closed},${clientAddress(server.member)}`;
    const ran = await quorate(['status', '--endpoints', endpoints, '--command-timeout', '1s']);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(`127.0.0.1:${closed}`);
    expect(ran.out).toContain(clientAddress(server.member));
  });
});

describe('debug', () => {
  test('topics are shown and switched while the server runs', async () => {
    const address = clientAddress(server.member);
    expect(await quorate(['debug', 'topics', address, 'votes,state'])).toMatchObject({ code: 0, out: 'votes,state\n' });
    expect(await quorate(['debug', 'topics', address])).toMatchObject({ out: 'votes,state\n' });
    expect(await quorate(['debug', 'topics', address, 'none'])).toMatchObject({ out: 'none\n' });
    const wrong = await quorate(['debug', 'topics', address, 'weather']);
    expect(wrong).toMatchObject({ code: 1, out: '' });
    expect(wrong.err).toContain('"weather" is not a topic');
  });

  test('a server is put to sleep', async () => {
    expect(await quorate(['debug', 'sleep', clientAddress(server.member), '10'])).toMatchObject({ code: 0 });
    expect(await quorate(['debug', 'sleep', clientAddress(server.member), 'long'])).toMatchObject({ code: 2 });
    expect(await quorate(['debug', 'sleep', 'nowhere', '10'])).toMatchObject({ code: 2 });
  });
});

describe('errors are one clear sentence, and exit codes tell them apart', () => {
  test('nobody answers: 1', async () => {
    const [closed] = await freePorts(1);
    const ran = await quorate(['get', 'k', '--endpoints', `127.0.0.1:${closed}`, '--command-timeout', '500ms']);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/^Error: .*ECONNREFUSED/);
    expect(ran.err.trimEnd().split('\n')).toHaveLength(1);
  });

  test('the server refuses: 1, in its own words', async () => {
    expect(await at('put', 'k', 'v', '--lease', '77')).toMatchObject({
      code: 1,
      err: 'Error: etcdserver: requested lease not found\n',
    });
    expect(await at('get', 'k', '--rev', '999999')).toMatchObject({
      code: 1,
      err: 'Error: etcdserver: mvcc: required revision is a future revision\n',
    });
  });

  test('wrong usage: 2, and nothing is sent', async () => {
    const wrong = [
      ['get'],
      ['get', 'k', '--order', 'UP'],
      ['put', 'k', 'v', '--no-such-flag'],
      ['frobnicate'],
      ['txn'],
      ['put', 'k', 'v', '--command-timeout', 'soon'],
    ];
    const results = await Promise.all(wrong.map((args) => quorate(args, 'gibberish\n\n')));
    for (const result of results) expect(result).toMatchObject({ code: 2, out: '' });
  });

  test('wrong flags of serve: 2, naming flag and value', async () => {
    const ran = await quorate(['serve', '--election-timeout', 'fast', '--data-dir', '/nonexistent/quorate']);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain('--election-timeout');
    expect(ran.err).toContain('fast');
    expect(await quorate(['serve', '--initial-cluster', 'a=http://127.0.0.1:1'])).toMatchObject({ code: 2 });
  });

  test('help goes to standard output and exits with 0, for every command', async () => {
    const commands = [
      [],
      ['serve'],
      ['dev'],
      ['get'],
      ['txn'],
      ['member', 'list'],
      ['debug', 'sleep'],
      ['wal', 'repair'],
    ];
    const helps = await Promise.all(commands.map((command) => quorate([...command, '--help'])));
    for (const help of helps) {
      expect(help).toMatchObject({ code: 0, err: '' });
      expect(help.out).toContain('Example');
    }
    expect(helps.at(-1)?.out).toContain('--drop-tail');
    expect(await quorate(['--version'])).toMatchObject({ code: 0, out: '0.1.0\n' });
  });
});
