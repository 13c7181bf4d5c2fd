/** Points a test, in the form that Gradescope's autograder reads from results.json. */
import type { Outcome } from '../session/protocol.ts';
import type { ListedTest, Part } from '../suite/index.ts';

/** Points that one test of a part is worth (docs/lab/grading.md). */
export const weights: Readonly<Record<Part, number>> = { '4A': 5, '4B': 3, snapshots: 4, kv: 2, beyond: 1 };

/** Characters of a test's output that are kept. */
const MAX_OUTPUT = 8_000;

export interface GradedTest {
  readonly name: string;
  readonly number: string;
  readonly score: number;
  readonly max_score: number;
  /** Left out of what was not run because the implementation does not offer it. */
  readonly status?: 'passed' | 'failed';
  readonly output: string;
  readonly tags: readonly string[];
  readonly visibility: 'visible';
}

export interface Grade {
  readonly score: number;
  /** Seconds. */
  readonly execution_time: number;
  readonly output: string;
  readonly tests: readonly GradedTest[];
}

/**
 * Points for the tests that were to be run: of each the share of its runs that passed. `describe` writes what a run came to. A run that is
 * missing has not passed; `obstacle` says why nothing could be run at all.
 */
export function gradeOf(
  tests: readonly ListedTest[],
  runs: number,
  outcomes: readonly Outcome[],
  describe: (outcome: Outcome) => readonly string[],
  wall: number,
  obstacle: string | null = null,
): Grade {
  const graded = tests.map((test, at) => {
    const of = outcomes.filter((outcome) => outcome.test === test.name).toSorted((a, b) => a.seed - b.seed);
    const notOffered = of.find((outcome) => outcome.notOffered !== null);
    if (notOffered !== undefined) return notOfferedTest(test, at, describe(notOffered));
    const passed = of.filter(({ failure }) => failure === null).length;
    // A search is made once: it is the same every time.
    const wanted = test.isSearch === true ? 1 : runs;
    return gradedTest(test, at, passed / wanted, obstacle ?? outputOf(of, passed, wanted, describe));
  });
  const total = points(graded.reduce((sum, { score }) => sum + score, 0));
  const most = graded.reduce((sum, { max_score }) => sum + max_score, 0);
  const output = obstacle ?? [`${total} of ${most} points.`, ...partLines(graded)].join('\n');
  return { score: total, execution_time: Math.ceil(wall / 1000), output, tests: graded };
}

function gradedTest(test: ListedTest, at: number, share: number, output: string): GradedTest {
  const most = weights[test.part];
  return {
    name: `${test.part}: ${test.title} (${test.name})`,
    number: String(at + 1),
    score: points(most * share),
    max_score: most,
    status: share === 1 ? 'passed' : 'failed',
    output,
    tags: [test.part],
    visibility: 'visible',
  };
}

/** Worth nothing either way: whoever leaves out what may be left out is graded on the rest. */
function notOfferedTest(test: ListedTest, at: number, lines: readonly string[]): GradedTest {
  const { status: _status, ...rest } = gradedTest(test, at, 0, lines.join('\n'));
  return { ...rest, max_score: 0 };
}

/** The first run that failed tells most. */
function outputOf(
  outcomes: readonly Outcome[],
  passed: number,
  runs: number,
  describe: (outcome: Outcome) => readonly string[],
): string {
  const shown = outcomes.find(({ failure }) => failure !== null) ?? outcomes[0];
  const lines = shown === undefined ? ['It was not run.'] : describe(shown);
  const count = runs === 1 ? [] : [`${passed} of ${runs} runs passed.`];
  const text = [...count, ...lines].join('\n');
  return text.length > MAX_OUTPUT ? `${text.slice(0, MAX_OUTPUT)}…` : text;
}

function partLines(graded: readonly GradedTest[]): string[] {
  const parts = new Set(graded.flatMap(({ tags }) => tags));
  return [...parts].map((part) => {
    const of = graded.filter(({ tags }) => tags.includes(part));
    const sum = (key: 'score' | 'max_score'): number => points(of.reduce((total, each) => total + each[key], 0));
    return `${part}: ${sum('score')} of ${sum('max_score')}`;
  });
}

/** To the hundredth. */
function points(value: number): number {
  return Math.round(value * 100) / 100;
}
