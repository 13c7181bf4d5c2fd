/** Points for a teacher, and published figures beside those of a run. */
import { describe, expect, test } from 'vitest';
import { compareLines, gradeOf, type Outcome, passedLine, suite, weights } from '../src/index.ts';
import { noFigures } from '../src/session/protocol.ts';

function outcomeOf(name: string, figures: Partial<Outcome> = {}): Outcome {
  const found = suite.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no test ${name}.`);
  const { part, title, servers } = found;
  return { ...noFigures, part, test: name, title, servers, seed: 1, failure: null, notOffered: null, ...figures };
}

const failure = { message: 'expected one leader, got none', page: null, stack: '', way: [], steps: [], events: [] };
const describeRun = ({ failure: note }: Outcome): string[] => [note === null ? 'Passed' : note.message];
const tests = suite.filter(({ name }) => name === 'InitialElection' || name === 'BasicAgree');

describe('a grade', () => {
  test('gives each test the points of its part, and says what failed', () => {
    const outcomes = [outcomeOf('InitialElection'), outcomeOf('BasicAgree', { failure })];
    const grade = gradeOf(tests, 1, outcomes, describeRun, 1_500);
    expect(grade).toMatchObject({ score: weights['4A'], execution_time: 2 });
    expect(grade.output).toBe('5 of 8 points.\n4A: 5 of 5\n4B: 0 of 3');
    expect(grade.tests).toMatchObject([
      { name: '4A: initial election (InitialElection)', score: 5, max_score: 5, status: 'passed', output: 'Passed' },
      { name: '4B: basic agreement (BasicAgree)', score: 0, max_score: 3, status: 'failed', output: failure.message },
    ]);
  });

  test('gives the share of the runs that passed, and shows the first that did not', () => {
    const runs = [3, 1, 2].map((seed) =>
      outcomeOf('BasicAgree', seed === 1 ? { seed } : { seed, failure: { ...failure, message: `seed ${seed}` } }),
    );
    const [, basic] = gradeOf(tests, 3, runs, describeRun, 0).tests;
    expect(basic).toMatchObject({ score: 1, max_score: 3, status: 'failed', output: '1 of 3 runs passed.\nseed 2' });
  });

  test('gives nothing for what was not run, and says why', () => {
    expect(gradeOf(tests, 1, [], describeRun, 0).tests[0]).toMatchObject({ score: 0, output: 'It was not run.' });
    const unfit = gradeOf(tests, 1, [], describeRun, 0, 'raft.js cannot be loaded');
    expect(unfit).toMatchObject({ score: 0, output: 'raft.js cannot be loaded' });
    expect(unfit.tests.map(({ score, output }) => [score, output])).toEqual([
      [0, 'raft.js cannot be loaded'],
      [0, 'raft.js cannot be loaded'],
    ]);
  });

  test('counts what an implementation may leave out, and does, neither for nor against it', () => {
    const notOffered = 'a change of membership: the implementation has no change(members)';
    const left = outcomeOf('LeaderLeaves', { notOffered });
    const chosen = suite.filter(({ name }) => name === 'LeaderLeaves' || name === 'OnMajority');
    const grade = gradeOf(chosen, 1, [outcomeOf('OnMajority'), left], (outcome) => [passedLine(outcome)], 0);
    expect(grade.output).toBe('1 of 1 points.\nbeyond: 1 of 1');
    expect(grade.tests[1]).toMatchObject({
      score: 0,
      max_score: 0,
      output: `  ... Not run -- not offered: ${notOffered}`,
    });
    expect(grade.tests[1]).not.toHaveProperty('status');
  });

  test('keeps its output short', () => {
    const [first] = gradeOf(tests, 1, [outcomeOf('InitialElection')], () => ['x'.repeat(100_000)], 0).tests;
    expect(first?.output.length).toBeLessThan(10_000);
  });
});

describe('published figures', () => {
  test('of somebody with less time and fewer RPCs are named', () => {
    const lines = compareLines([outcomeOf('BasicAgree', { elapsed: 1_040, calls: 19, bytes: 5_000 })]);
    expect(lines[1]).toMatch(/^BasicAgree +1\.0\/19 .*0\.9\/16.* 5000 +3840 {2}2023, B, C$/);
    expect(lines[2]).toBe('1 tests compared; in 0 of them nobody published better figures in both time and RPCs');
  });

  test('are compared with the middle of several runs, and with none that failed', () => {
    const runs = [400, 500, 9_000].map((elapsed) => outcomeOf('BasicAgree', { elapsed, calls: 22 }));
    expect(compareLines(runs)[1]).toMatch(/^BasicAgree +0\.5\/22 .*none$/);
    expect(compareLines([outcomeOf('BasicAgree', { failure })])).toHaveLength(2);
  });

  test('exist for every scenario of the course, and for none that is not in the suite', () => {
    const course = suite.filter(({ part }) => part === '4A' || part === '4B' || part === 'snapshots');
    const compared = compareLines(suite.filter(({ part }) => part !== 'kv').map(({ name }) => outcomeOf(name))).slice(
      1,
      -1,
    );
    const names = compared.map((line) => line.split(' ')[0]);
    expect(names).toEqual(course.map(({ name }) => name).filter((name) => name !== 'Rejoin'));
  });

  test('of stores are compared by time and RPCs, or where there is so much time by operations and RPCs for each', () => {
    const lines = compareLines([
      outcomeOf('Speed', { elapsed: 3_600, calls: 3_100 }),
      outcomeOf('Basic', { elapsed: 15_000, calls: 9_000, agreed: 1_500 }),
    ]);
    const rows = lines.slice(lines.indexOf('') + 2, -1).map((line) => line.replaceAll(/ +/g, ' '));
    expect(rows).toEqual([
      'Basic 15.0/9000/1500 15.5/4576/903 15.0/41866/6850 15.2/11102/2214 F',
      'Speed 3.6/3100/0 15.7/3022/- 1.1/21497/- 3.5/3014/- F',
    ]);
  });

  test('exist for every scenario on a store but the one that others print as three', () => {
    const part = suite.filter((each) => each.part === 'kv').map(({ name }) => name);
    const lines = compareLines(part.map((name) => outcomeOf(name, { agreed: 1 })));
    const names = lines.slice(lines.indexOf('') + 2, -1).map((line) => line.split(' ')[0]);
    expect(names).toEqual(part.filter((name) => name !== 'OnePartition'));
  });
});
