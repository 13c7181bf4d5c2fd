/** scripts/lib/branches.mjs: the branches of a program, and those that a run took, as V8 counted them. */
import { Session } from 'node:inspector/promises';
import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { type Branch, branchesOf, counterOf, judge } from '../scripts/lib/branches.mjs';

const program = `
function choose(a, b) {
  if (a > 1) {
    return 'many';
  }
  const sign = a > 0 ? 'one' : 'none';
  switch (b) {
    case 1:
    case 2:
      return sign;
    default:
      if (b === null) throw new Error('no b');
      return (b ?? 0) && sign;
  }
}
function never(list) {
  for (const each of list) if (each) return each;
}
var twice = (list) => list.map((each) => each || 'nothing');
`;

async function missedBy(calls: string): Promise<{ missed: string[]; total: number; taken: number }> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const filename = `/branches-${Math.abs(calls.length)}-${calls.charCodeAt(0)}.js`;
  new Script(program + calls, { filename }).runInThisContext();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const functions = result.find(({ url }) => url.endsWith(filename))?.functions ?? [];
  const { missed, total, taken } = judge(branchesOf(filename, program), counterOf(functions));
  const lineOf = (offset: number): number => program.slice(0, offset).split('\n').length;
  return { missed: missed.map(({ what, at }) => `${lineOf(at)} ${what}`).sort(), total, taken };
}

test('what a run did not do is named, by line; what is inside of it is counted and not named', async () => {
  const { missed, total, taken } = await missedBy("choose(2, 1); choose(1, 2); twice(['a']);");
  expect(missed).toEqual(['12 default', '16 function', '6 :', '19 ||'].sort());
  // Of `default` two ifs' ways, ?? and && with their ways around; of `never` the loop and the if with its way around.
  expect(total).toBe(taken + 4 + 6 + 3);
});

test('a condition that was never false is named as the way around its branch', async () => {
  const { missed } = await missedBy(" choose(0, 7); choose(5, 1); twice([0, 'a']);");
  expect(missed).toEqual(['10 case', '12 if', '13 && skipped', '13 ??', '16 function', '6 ?'].sort());
  const always = await missedBy('   choose(2, 1); twice([0]);');
  expect(always.missed).toContain('3 if skipped');
  expect(always.missed).toContain('19 || skipped');
});

test('a branch that only throws is known as a guard, and so is a value that the compiler asked for', () => {
  const guards: string[] = [];
  const visit = (branches: readonly Branch[]): void => {
    for (const { what, guards: isGuard, inside } of branches) {
      if (isGuard) guards.push(what);
      visit(inside);
    }
  };
  visit(branchesOf('program.js', program));
  expect(guards.sort()).toEqual(['??', 'if']);
});

test('what is no program is refused', () => {
  expect(() => branchesOf('broken.js', 'if (')).toThrow(/broken\.js/);
});
