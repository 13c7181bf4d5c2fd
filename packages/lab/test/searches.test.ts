/** The searches pass right Rafts, and each of them fails a Raft with the mistake that it is there for. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type Outcome, searches } from '../src/index.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

const right = fileURLToPath(new URL('../implementations/handlers.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quorate-searches-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = searches.map(({ name }) => name);

async function outcomesOf(path: string | null, tests: readonly string[]): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const jobs = tests.map((name) => ({ test: name, seed: 1, isRealTime: false, isRace: false }));
  const onOutcome = (outcome: Outcome): void => void outcomes.set(outcome.test, outcome);
  await runJobs(jobs, { subject: { path }, processes: 2, output: null, onOutcome });
  return outcomes;
}

/** The right Raft in handlers, with one change in its text. */
function patched(name: string, from: string, to: string): string {
  const text = readFileSync(right, 'utf8');
  expect(text.split(from), `'${from}' stands in handlers.mjs once`).toHaveLength(2);
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, text.replace(from, to));
  return path;
}

test('handlers.mjs passes, and every order of events was looked at', { timeout: 120_000 }, async () => {
  const outcomes = await outcomesOf(right, names);
  for (const { name, needs } of searches) {
    const { failure, search, notOffered } = outcomes.get(name) as Outcome;
    expect(failure, name).toBeNull();
    expect(notOffered, name).toBe(needs === 'change' ? 'change(members)' : null);
    if (needs !== 'change') expect(search?.verdict, name).toBe('exhausted');
  }
});

test('our Raft passes', { timeout: 240_000 }, async () => {
  const outcomes = await outcomesOf(null, names);
  for (const name of names) {
    const { failure, notOffered, search } = outcomes.get(name) as Outcome;
    expect([failure, notOffered], name).toEqual([null, null]);
    expect(search?.states, name).toBeGreaterThan(1000);
  }
});

interface Mistake {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly fails: string;
  readonly message: RegExp;
}

const mistakes: readonly Mistake[] = [
  {
    name: 'votes-twice',
    from: 'const isFree = state.votedFor === null || state.votedFor === from;',
    to: 'const isFree = true;',
    fails: 'SearchElection',
    message: /^a term has at most one leader: server \d led term 1, but server \d leads it too$/,
  },
  {
    name: 'vote-unsaved',
    from: '    state.votedFor = from;\n    save(state, context);',
    to: '    state.votedFor = from;',
    fails: 'SearchVoteCrash',
    message: /^a term has at most one leader/,
  },
  {
    name: 'late-vote-counted',
    from: 'state.asking !== method || args.term !== term ||',
    to: 'state.asking !== method ||',
    fails: 'SearchLateVote',
    message: /^a term has at most one leader/,
  },
  {
    name: 'yields-to-whoever-comes-back',
    from: 'granted: !hearsLeader && args.term',
    to: 'granted: args.term',
    fails: 'SearchRejoin',
    message: /^a leader that works is not disturbed: server 0 led term 1/,
  },
  {
    name: 'never-lets-go',
    from: "  state.currentTerm = term;\n  state.votedFor = null;\n  state.role = 'follower';",
    to: '  state.currentTerm = term;\n  state.votedFor = null;',
    fails: 'SearchCutOff',
    message: /^a term has at most one leader/,
  },
  {
    name: 'one-copy-is-enough',
    from: 'if (copies > context.servers / 2) {',
    to: 'if (copies >= 1) {',
    fails: 'SearchNoMajority',
    message: /^without a majority nothing is committed/,
  },
  {
    name: 'votes-by-length',
    from: 'return lastTerm !== term ? lastTerm > term : lastIndex >= index;',
    to: 'return lastIndex >= index;',
    fails: 'SearchLongerLog',
    message: /^all servers apply the same commands/,
  },
  {
    name: 'log-unasked',
    from: 'return lastTerm !== term ? lastTerm > term : lastIndex >= index;',
    to: 'return true;',
    fails: 'SearchLoseLeader',
    message: /^all servers apply the same commands/,
  },
  {
    name: 'never-goes-back',
    from: '  state.nextIndex[from] = Math.max(state.matchIndex[from] + 1, next);',
    to: '',
    fails: 'SearchConverge',
    message: /no order of events leads there \(server 0 applies c4\)$/,
  },
  {
    name: 'old-term-commit',
    from: '    if (entryAt(state, index).term !== state.currentTerm) return false;\n',
    to: '',
    fails: 'SearchFigure8',
    message: /^all servers apply the same commands: "c1" was applied at index 1/,
  },
  {
    name: 'always-cuts',
    from: '  if (first === -1) return;\n',
    to: '  if (entries.length > 0 && first === -1) state.log = state.log.slice(0, entries.at(-1).index - state.log[0].index + 1);\n  if (first === -1) return;\n',
    fails: 'SearchLateAppend',
    message: /^(all servers apply the same commands|nothing throws)/,
  },
  {
    name: 'entries-unsaved',
    from: '  state.log = [...kept, ...entries.slice(first)];\n  save(state, context);',
    to: '  state.log = [...kept, ...entries.slice(first)];',
    fails: 'SearchPersist',
    message: /^all servers apply the same commands/,
  },
  {
    name: 'late-answer-counted',
    from: "if (state.role !== 'leader' || state.currentTerm !== args.term) return;\n  if (answer.success)",
    to: "if (state.role !== 'leader') return;\n  if (answer.success)",
    fails: 'SearchStaleAnswer',
    message: /^all servers apply the same commands/,
  },
  {
    name: 'old-snapshot-taken',
    from: '  if (args.index <= state.commitIndex) return {};\n',
    to: '',
    fails: 'SearchLateSnapshot',
    message:
      /^nothing that is applied is lost: server 2 has applied everything up to 2, but it applies a snapshot that ends at 1$/,
  },
  {
    name: 'snapshot-not-saved-again',
    from: 'context.save({ currentTerm, votedFor, log }, data);',
    to: 'context.save({ currentTerm, votedFor, log }, state.isApplying ? data : null);',
    fails: 'SearchSnapshotCrash',
    message: /./,
  },
  {
    name: 'answers-at-once',
    from: '  // A cluster of one is its own majority.\n  advanceCommit(state, context);',
    to: '  commitTo(state, entry.index, context);',
    fails: 'SearchStaleRead',
    message: /^all servers apply the same commands: "c2" was applied at index 2, but server 0 applies "c3" there/,
  },
];

describe('a mistake in handlers.mjs', () => {
  test.each(mistakes)('$name fails $fails', { timeout: 60_000 }, async ({ name, from, to, fails, message }) => {
    const { failure } = (await outcomesOf(patched(name, from, to), [fails])).get(fails) as Outcome;
    expect(failure?.message).toMatch(message);
    expect(failure?.way.length).toBeGreaterThan(3);
  });

  test('every search but that of members has a mistake that fails it', () => {
    const fails = new Set(mistakes.map((mistake) => mistake.fails));
    expect(names.filter((name) => !fails.has(name))).toEqual(['SearchMembership']);
  });
});
