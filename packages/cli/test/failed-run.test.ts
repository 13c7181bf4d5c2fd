import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeTrace, endingOf, type Ending, planTrace, runSeed, standardWatchers } from '@quorate/sim';
import { afterAll, describe, expect, test } from 'vitest';
import { quorate } from './support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A short run that breaks nothing, as a trace that says how it ended. */
function traced(name: string, change: (ending: Ending) => Ending): string {
  const { seed, options, actions, ...result } = runSeed(5, { servers: 3, faultSeconds: 3 }, standardWatchers);
  const ending = endingOf({ seed, options, actions, ...result });
  const { header, records } = planTrace({ plan: { seed, options, actions }, ending: change(ending) }, '0.1.0', 'test');
  const file = join(folder, name);
  writeFileSync(file, [...encodeTrace(header, records)].join('\n'));
  return file;
}

describe('the trace of a run', () => {
  test('goes as it went, to the hash of the state', async () => {
    const ran = await quorate(['sim', 'replay', traced('same.json', (ending) => ending)]);
    expect(ran).toEqual({ code: 0, out: 'Everything went as it went, to the last bit of state.\n', err: '' });
  });

  test('says when this build goes another way', async () => {
    const other = traced('other.json', (ending) => ({ ...ending, stateHash: ending.stateHash ^ 1 }));
    expect((await quorate(['sim', 'replay', other])).out).toMatch(/^The same, but not step by step/);
    const broken = traced('broken.json', (ending) => ({ ...ending, invariant: 'A1', facts: ['one leader', 'two'] }));
    const ran = await quorate(['sim', 'replay', broken]);
    expect(ran.out).toBe('This build goes another way: A1 broke when the trace was made, nothing breaks now.\n');
    expect(ran.code).toBe(1);
  });

  test('is not shrunk when nothing breaks', async () => {
    const ran = await quorate(['sim', 'shrink', traced('sound.json', (ending) => ending)]);
    expect(ran.out).toBe('Nothing breaks in this run.\n');
    expect(ran.code).toBe(1);
    expect((await quorate(['sim', 'shrink', '5', '--servers', '3', '--seconds', '3'])).out).toBe(ran.out);
  });

  test('is refused with one sentence when it is another build’s', async () => {
    const file = traced('older.json', (ending) => ending);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"clients":', '"customers":'));
    const ran = await quorate(['sim', 'replay', file]);
    expect(ran.err).toMatch(
      /^Error: Line 1: The options of the run are not those of this build: configuration.options.clients is/,
    );
    expect(ran.code).toBe(1);
  });
});
