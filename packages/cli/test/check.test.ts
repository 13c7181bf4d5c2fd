/** quorate check: what it proves, finds, writes and says. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quorate } from './support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The election of the paper, one election, no heartbeats: a few thousand states. */
const small = ['--max-term', '1', '--max-elections', '1', '--no-prevote', '--lose', 'heartbeat', 'heartbeatReply'];

describe('the real core', () => {
  test('is proved to break nothing within the bounds, which are told', async () => {
    const { code, out } = await quorate(['check', ...small]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^3 servers; at most terms 1, elections 1, requests 1; no stickiness, heartbeats, .*; lost: heartbeat, heartbeatReply/,
    );
    expect(out).toMatch(/[\d,]+ states, [\d,]+ steps, depth \d+, in [\d.]+ s/);
    expect(out).toContain('Nothing breaks: every state within these bounds was visited.');
  });

  test('is not called proved where something was cut', async () => {
    const { code, out } = await quorate(['check', ...small, '--depth', '4']);
    expect(code).toBe(0);
    expect(out).toMatch(/That is no proof:\n {2}\d+ states at depth 4, the depth bound, were not gone on from/);
  });

  test('reaches a goal by a shortest way, or says what the nearest states lack', async () => {
    const reached = await quorate(['check', ...small, '--goal', 'leader', 'committed:1']);
    expect(reached.out).toContain('The goal is reached after 9 steps');
    const missed = await quorate(['check', ...small, '--goal', 'term:2']);
    expect(missed.code).toBe(13);
    expect(missed.out).toMatch(/after \d+ steps, lacking: a leader was elected in term 2 or later \(1 away\)/);
  });

  test('says what was allowed and never came about', async () => {
    const { out } = await quorate(['check', '--max-term', '0', '--max-crashes', '1', '--servers', '1']);
    expect(out).toContain('Allowed, but never possible: elections, requests.');
  });

  test.each([
    [['--goal', 'peace'], /'peace' is no part of a goal/],
    [['--servers', '10'], /at most 9 servers/],
    [['--lose', 'letters'], /There is no kind of message 'letters'/],
    [['--bug', 'millennium'], /There is no bug 'millennium'. There are: figure8/],
    [['--max-term', 'two'], /Expected a whole number/],
  ])('%s is refused with one sentence', async (flags, why) => {
    const { code, err } = await quorate(['check', ...flags]);
    expect(err).toMatch(why);
    expect(code).toBeGreaterThan(0);
  });
});

describe('a core with a mistake in it', () => {
  beforeAll(() => {
    // Does nothing where they are up to date.
    const script = fileURLToPath(new URL('../../sim/scripts/bugs.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }, 300_000);

  test('breaks a rule by a shortest way, which is explained, written and walked again', async () => {
    const file = join(folder, 'figure8.json');
    const { code, out } = await quorate(['check', '--bug', 'figure8', '--trace', file]);
    expect(code).toBe(10);
    expect(out).toContain('In this core a leader commits entries of earlier terms by counting copies.');
    expect(out).toMatch(/C6 is broken after \d+ steps, a shortest way in each stage/);
    expect(out).toMatch(/entry 1\/1 was committed in term 3;\nbut n3 was elected in term 4 with 2 there\./);
    expect(out).toMatch(/object before that:\n\nC3 .*: entry 1 is of term 1;/);
    for (const command of ['check', 'sim']) {
      const again = await quorate([command, 'replay', file]);
      expect(again.out).toContain('Everything went as it went.');
      expect(again.code).toBe(0);
    }
    const sound = join(folder, 'sound.json');
    writeFileSync(sound, readFileSync(file, 'utf8').replace('"bug":"figure8"', '"bug":null'));
    const { code: parted, out: said } = await quorate(['check', 'replay', sound]);
    expect(said).toContain('This build goes another way: C6 broke when the trace was made, nothing breaks now.');
    expect(parted).toBe(1);
  });

  test('the mistakes that there are, are listed', async () => {
    const { out } = await quorate(['check', '--list-bugs']);
    expect(out).toMatch(/figure8 .* a leader commits entries of earlier terms by counting copies/);
  });
});
