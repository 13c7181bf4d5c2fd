/** Implementations in any language, behind the third door: processes, real time, lines of JSON. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';
import { doorSuite, type Outcome, runDoorTest } from '../src/index.ts';
import { DoorFailure, parseMessage } from '../src/door/message.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-door-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function outcomeOf(name: string, command: string, work = 1_500): Promise<Outcome> {
  const scenario = doorSuite.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`There is no test ${name}.`);
  return runDoorTest(scenario, { command, seed: 1, output: null, work });
}

function python(path: string): string {
  return `${findPeer('python3')} ${fileURLToPath(new URL(`../implementations/door/${path}`, import.meta.url))}`;
}

describeWithPeer('python3', 'a tiny Raft in Python', () => {
  test.each(doorSuite.map(({ name }) => name))('passes %s', async (name) => {
    const outcome = await outcomeOf(name, python('raft.py'));
    expect(outcome.failure).toBeNull();
    expect(outcome.agreed).toBeGreaterThan(0);
  });

  test('that acknowledges before a majority has it is caught', async () => {
    const outcome = await outcomeOf('DoorIsolated', python('wrong/acknowledges-early.py'));
    expect(outcome.failure?.message).toMatch(/^n\d has said that a write is done while it was cut off/);
  });
});

/** A server in JavaScript: `body` handles `message`, and may `reply`. */
function server(name: string, body: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(
    path,
    `import { createInterface } from 'node:readline';
    import { appendFileSync, readFileSync } from 'node:fs';
    let id = '';
    const say = (dest, body) => console.log(JSON.stringify({ src: id, dest, body }));
    createInterface({ input: process.stdin }).on('line', (line) => {
      const message = JSON.parse(line);
      const reply = (body) => say(message.src, { ...body, in_reply_to: message.body.msg_id });
      if (message.body.type === 'init') id = message.body.node_id;
      ${body}
    });`,
  );
  return `'${process.execPath}' ${path}`;
}

const init = `if (message.body.type === 'init') return reply({ type: 'init_ok' });`;

describe('what processes do wrong is said', () => {
  test.each([
    [
      'writes a log to standard output',
      `console.log('listening');`,
      /^n\d wrote a line that is no JSON.*standard error: listening$/,
    ],
    [
      'writes something else',
      `console.log('[1]');`,
      /wrote a line that is no message: it needs src, dest and body: \[1\]/,
    ],
    [
      'writes in the name of another',
      `id = 'n9'; reply({ type: 'init_ok' });`,
      /says that it comes from n9: src must be/,
    ],
    [
      'writes to nobody',
      `${init} say('n7', { type: 'hello' });`,
      /n\d sends hello to 'n7', and there is nobody of that name/,
    ],
    [
      'dies',
      `console.error('no luck today'); process.exit(3);`,
      /^n\d ended by itself \(exit code 3\)\. It said: no luck today$/,
    ],
    ['refuses init', `reply({ type: 'error', code: 13 });`, /^n\d has not answered init with init_ok, but with error$/],
    [
      'knows no reads and writes',
      `${init} reply({ type: 'error', code: 10, text: 'what?' });`,
      /refuses (read|write|cas) with code 10: what\?/,
    ],
    ['answers something else', `${init} reply({ type: 'echo_ok' });`, /answers echo_ok where write_ok or error is due/],
    ['answers an error without a code', `${init} reply({ type: 'error' });`, /answers an error without a code/],
  ])('one that %s', async (what, body, message) => {
    const outcome = await outcomeOf('DoorBasic', server(what.replaceAll(' ', '-'), body));
    expect(outcome.failure?.message).toMatch(message);
  });

  test('one that cannot be started', async () => {
    const outcome = await outcomeOf('DoorBasic', join(folder, 'none'));
    expect(outcome.failure?.message).toMatch(/^n\d ended by itself \(exit code 127\)\. It said: .*not found/);
  });

  test('one that never answers init', async () => {
    const outcome = await outcomeOf('DoorBasic', server('silent', ''));
    expect(outcome.failure?.message).toMatch(/^n\d has not answered init within 10 seconds$/);
  });

  test('one that does nothing', async () => {
    const outcome = await outcomeOf('DoorBasic', server('idle', init));
    expect(outcome.failure?.message).toBe('no write was done within 10 seconds after the start');
  });

  test('servers that know nothing of each other', async () => {
    const body = `${init}
      const { type, key, value, from, to } = message.body;
      globalThis.store ??= new Map();
      if (type === 'write') { store.set(key, value); return reply({ type: 'write_ok' }); }
      if (!store.has(key)) return reply({ type: 'error', code: 20 });
      if (type === 'read') return reply({ type: 'read_ok', value: store.get(key) });
      if (store.get(key) !== from) return reply({ type: 'error', code: 22 });
      store.set(key, to); reply({ type: 'cas_ok' });`;
    const outcome = await outcomeOf('DoorConcurrent', server('alone', body));
    expect(outcome.failure?.message).toMatch(/are not linearizable: .*no order takes in:\n +client \d+/s);
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('processes', () => {
  test('are killed for good, keep their directory from life to life, and leave nothing behind', async () => {
    const lives = join(folder, 'lives');
    const body = `if (message.body.type === 'init') {
        appendFileSync(process.env.QUORATE_LAB_DIR + '/lives', 'x');
        appendFileSync(${JSON.stringify(lives)}, process.pid + ' ' + process.env.QUORATE_LAB_DIR + ' ' +
          readFileSync(process.env.QUORATE_LAB_DIR + '/lives').length + '\\n');
        return reply({ type: 'init_ok' });
      }
      // One of them alone serves, so what it says is in order.
      if (id !== 'n1') return reply({ type: 'error', code: 11 });
      reply(message.body.type === 'write' ? { type: 'write_ok' } : { type: 'error', code: 11 });`;
    const command = server('lives', body);
    const outcome = await outcomeOf('DoorRestart', command);
    expect(outcome.failure).toBeNull();
    const told = readFileSync(lives, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    for (const number of ['1', '2']) expect(told.filter(([, , life]) => life === number)).toHaveLength(5);
    for (const [pid, directory] of told) {
      expect(existsSync(directory ?? '')).toBe(false);
      // It is dead; whoever inherited it may not have looked yet.
      while (isThere(Number(pid))) await setTimeout(20);
    }
  });
});

describe('a line', () => {
  test('that is a message is taken as it is', () => {
    const line = '{"src":"n1","dest":"c1","body":{"type":"read_ok","in_reply_to":4,"value":3}}';
    expect(parseMessage('n1', line)).toEqual(JSON.parse(line));
  });

  test.each([
    ['{"src":"n1","dest":"c1"}', /has no body with a type/],
    ['{"src":"n1","dest":"c1","body":{"type":"x","in_reply_to":"4"}}', /in_reply_to that is no whole number/],
    [`"${'y'.repeat(500)}"`, /y{100}…$/],
  ])('%s is refused', (line, message) => {
    expect(() => parseMessage('n1', line)).toThrow(message);
    expect(() => parseMessage('n1', line)).toThrow(DoorFailure);
  });
});
