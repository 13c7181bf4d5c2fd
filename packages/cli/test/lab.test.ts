import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { quorate } from './support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-lab-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('quorate lab init', () => {
  test('writes a skeleton that lab run then judges', async () => {
    const home = join(folder, 'my-raft');
    expect(await quorate(['lab', 'init', home])).toMatchObject({ code: 0, err: '' });
    expect(existsSync(join(home, 'raft.js'))).toBe(true);
    const ran = await quorate(['lab', 'run', '--impl', home, '--test', 'InitialElection']);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/--- FAIL: InitialElection[^]*expected one leader within five seconds, got none/);
  });

  test('refuses a folder that is not empty', async () => {
    const ran = await quorate(['lab', 'init', folder]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/is not empty. Name a new folder/);
  });
});

describe('quorate lab run --search', () => {
  const listed = async (...flags: string[]): Promise<string[]> =>
    (await quorate(['lab', 'run', '--list', ...flags])).out.split('\n').filter((line) => line !== '');

  test('chooses among all tests, as --no-search does', async () => {
    const [all, searched, run] = await Promise.all([listed(), listed('--search'), listed('--no-search')]);
    expect(searched.every((line) => / Search[A-Z]/.test(line))).toBe(true);
    expect(searched.length).toBeGreaterThanOrEqual(12);
    expect(new Set([...searched, ...run])).toEqual(new Set(all));
  });

  test('tells every step of a failure, once however many runs there are, and how to see it again', async () => {
    const impl = fileURLToPath(new URL('../../lab/implementations/wrong/stale-vote-counted.mjs', import.meta.url));
    const ran = await quorate(['lab', 'run', '--impl', impl, '--test', 'SearchLateVote', '--runs', '3']);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/^ +a term has at most one leader: server 1 led term 2, but server 0 leads it too$/m);
    expect(ran.out).toMatch(/^ +1 {2}the network is cut: \{0, 2\} \{1\}$/m);
    expect(ran.out).toMatch(/^ +leaders by term: 2: server 1$/m);
    expect(ran.out).toContain(`again: quorate lab run --impl ${impl} --test SearchLateVote --seed 1`);
    expect(ran.out).toMatch(/^SearchLateVote +1 +1 +searched: rerun$/m);
  });

  test.each(['--race', '--real-time'])('is refused with %s', async (flag) => {
    const ran = await quorate(['lab', 'run', '--search', flag]);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toMatch(new RegExp(`is a search: leave out ${flag}`));
  });
});

describe('quorate lab run --grade', () => {
  const graded = async (
    impl: string,
    name: string,
  ): Promise<{ code: number | null; grade: Record<string, unknown> }> => {
    const file = join(folder, `${name}.json`);
    const { code } = await quorate(['lab', 'run', '--impl', impl, '--part', '4A', '--runs', '2', '--grade', file]);
    return { code, grade: JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown> };
  };

  test('gives a skeleton nothing, and says of each test why', async () => {
    const { code, grade } = await graded(join(folder, 'my-raft'), 'skeleton');
    expect(code).toBe(1);
    expect(grade['score']).toBe(0);
    expect(JSON.stringify(grade['tests'])).toMatch(/0 of 2 runs passed.*expected one leader/);
  });

  test.each([
    ['cannot be loaded', 'export const = 1;'],
    ['ended at once', 'process.exit(7);'],
  ])('gives nothing either for what %s', async (reason, text) => {
    const path = join(folder, `${reason.replaceAll(' ', '-')}.mjs`);
    writeFileSync(path, text);
    const { code, grade } = await graded(path, reason);
    expect(code).not.toBe(0);
    expect(grade).toMatchObject({ score: 0 });
    expect(String(grade['output'])).toContain(reason);
  });

  test('has its place looked at before anything is run', async () => {
    const ran = await quorate(['lab', 'run', '--part', '4A', '--grade', join(folder, 'nowhere', 'out.json')]);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toMatch(/There is no folder/);
  });
});

/** No log at all: whoever is asked does it alone. */
const FORGETFUL_STORE = `
export { make } from ${JSON.stringify(import.meta.resolve('../../lab/implementations/raft.mjs'))};
export function service() {
  const data = new Map();
  const write = {
    'KV.put': (key, value) => data.set(key, value),
    'KV.append': (key, value) => data.set(key, (data.get(key) ?? '') + value),
    'KV.get': () => undefined,
  };
  return {
    apply() {},
    kill() {},
    handle(method, { key, value }, answer) {
      if (write[method] === undefined) return false;
      write[method](key, value);
      answer({ kind: 'ok', value: method === 'KV.get' ? (data.get(key) ?? null) : null });
      return true;
    },
  };
}
`;

test('quorate lab run writes a page about answers that are not linearizable, and says where', async () => {
  const impl = join(folder, 'forgetful.mjs');
  writeFileSync(impl, FORGETFUL_STORE);
  const pages = join(folder, 'pages');
  const name = 'PersistPartitionUnreliableLinearizable';
  const ran = await quorate(['lab', 'run', '--impl', impl, '--test', name, '--page-dir', pages]);
  const file = join(pages, `${name}-seed-1.html`);
  expect(ran.code).toBe(1);
  expect(ran.out).toMatch(/are not linearizable: \d+ of \d+ operations fit into an order/);
  expect(ran.out).toContain(`all operations, in a browser: ${file}`);
  expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>[^]*No order takes in[^]*class="stuck/);
});

/** A process that speaks the door's lines, and knows nothing of the others: each of them is a store of its own. */
const LONELY_PROCESS = `
import { createInterface } from 'node:readline';
const store = new Map();
let id = '';
const answers = {
  init: ({ node_id }) => ((id = node_id), { type: 'init_ok' }),
  read: ({ key }) => (store.has(key) ? { type: 'read_ok', value: store.get(key) } : { type: 'error', code: 20 }),
  write: ({ key, value }) => (store.set(key, value), { type: 'write_ok' }),
  cas: ({ key, from, to }) =>
    store.get(key) === from ? (store.set(key, to), { type: 'cas_ok' }) : { type: 'error', code: store.has(key) ? 22 : 20 },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { src, body } = JSON.parse(line);
  const answer = { ...answers[body.type](body), in_reply_to: body.msg_id };
  console.log(JSON.stringify({ src: id, dest: src, body: answer }));
});
`;

test('quorate lab run --exec writes the page as well, and how the processes are run again', async () => {
  const program = join(folder, 'lonely.mjs');
  writeFileSync(program, LONELY_PROCESS);
  const pages = join(folder, 'pages-of-processes');
  const command = `${process.execPath} ${program}`;
  const ran = await quorate(['lab', 'run', '--exec', command, '--test', 'DoorConcurrent', '--page-dir', pages]);
  const file = join(pages, 'DoorConcurrent-seed-1.html');
  expect(ran.code).toBe(1);
  expect(ran.out).toMatch(/--- FAIL: DoorConcurrent[^]*are not linearizable/);
  expect(ran.out).toContain(`all operations, in a browser: ${file}`);
  expect(ran.out).toContain(`quorate lab run --exec '${command}' --test DoorConcurrent --seed 1 --verbose`);
  expect(ran.out).toContain('Processes in real time cannot be run again as they were');
  expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>[^]*No order takes in[^]*class="stuck/);
});
