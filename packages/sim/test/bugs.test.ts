/** Each mistake that is shipped is found, by the way and in the number of states that docs/model-checking.md says. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  BreadthFirst,
  bugs,
  CoreWorld,
  type CoreWorldOptions,
  explain,
  type Searching,
  StagedSearch,
  type Bug,
} from '../src/index.ts';
import { loadBug } from '../src/node/bugs.ts';

beforeAll(() => {
  // Does nothing where they are up to date.
  const script = fileURLToPath(new URL('../scripts/bugs.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}, 300_000);

const page = readFileSync(new URL('../../../docs/model-checking.md', import.meta.url), 'utf8');

function searchOf({ stages }: Bug, options: CoreWorldOptions): { search: Searching; states: () => number } {
  const world = new CoreWorld(options);
  if (stages === null) {
    const search = new BreadthFirst(world);
    return { search, states: () => search.progress.states };
  }
  const search = new StagedSearch(world, stages);
  return { search, states: () => search.stages.reduce((sum, { result }) => sum + result.states, 0) };
}

describe.each(bugs.map((bug): [string, Bug] => [bug.name, bug]))('%s', (name, bug) => {
  test('is found, and explained by the judges of whole runs', async () => {
    const options = { ...bug.world, core: (await loadBug(name)).core };
    const { search, states } = searchOf(bug, options);
    while (!search.advance(10_000));
    const { end, actions, broken } = search.result();
    expect(end).toBe('violation');
    const steps = actions!.filter(({ kind }) => kind !== 'restage').length;
    const row = `| \`${name}\` | ${bug.mistake} | ${broken!.invariant} | ${steps} | ${states()} |`;
    expect(page.includes(row) ? row : page.match(/^\| `.*/gm)).toEqual(row);
    const explanation = explain(options, actions!);
    expect(explanation.broken).toEqual(broken);
    expect(explanation.violation).not.toBeNull();
  });

  test('is not found in the real core', () => {
    const { search } = searchOf(bug, bug.world);
    // As far as the mistake is found in the other one, and some way beyond.
    for (let slice = 0; slice < 3 && !search.advance(10_000); slice++);
    expect(search.result().broken).toBeNull();
  });
});
