/** The searches pass right Rafts, and each of them fails a Raft with the mistake that it is there for. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type Outcome, searches } from '../src/index.ts';
// Processes run what is built.
import { runJobs } from '../dist/index.js';

function implementation(name: string): string {
  return fileURLToPath(new URL(`../implementations/${name}.mjs`, import.meta.url));
}

const right = implementation('handlers');
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
    name: 'candidate-ignores-leader',
    from: '  if (args.term < state.currentTerm) return { success: false };\n  acceptLeader(state, args.term, context);\n  const base',
    to: "  if (args.term < state.currentTerm || (state.role === 'candidate' && args.term === state.currentTerm)) return { success: false, next: last(state).index + 1 };\n  acceptLeader(state, args.term, context);\n  const base",
    fails: 'SearchCandidate',
    message: /no order of events leads there \(server 0 applies c1\)$/,
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
    message: /^a leader that works is not disturbed: server 0 led and was heard/,
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
    message: /^the next command, .* \(server 0 applies c4\)$/,
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
    name: 'next-index-kept',
    from: '  state.nextIndex = Array.from({ length: context.servers }, () => last(state).index + 1);\n',
    to: '  if (state.nextIndex.length === 0) state.nextIndex = Array.from({ length: context.servers }, () => last(state).index + 1);\n',
    fails: 'SearchSecondReign',
    message: /^nothing throws: server 0 /,
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

test('raft.mjs, in the async style, passes by being run again and again', { timeout: 240_000 }, async () => {
  const outcomes = await outcomesOf(implementation('raft'), names);
  for (const { name, needs } of searches) {
    const { failure, search, notOffered } = outcomes.get(name) as Outcome;
    expect(failure, name).toBeNull();
    if (needs === 'change') expect(notOffered, name).toBe('change(members)');
    else expect([search?.verdict, (search?.runs ?? 0) > 100], name).toEqual(['rerun', true]);
  }
});

/** docs/lab/wrong-rafts.md has the same in a column. */
const wrongRafts: readonly (readonly [file: string, fails: string, message: RegExp])[] = [
  ['candidate-ignores-leader', 'SearchCandidate', /^server 0 hears of it, .*: none of 600 runs leads there/],
  ['majority-off-by-one', 'SearchNoMajority', /^without a majority nothing is committed/],
  ['heartbeat-commits-unchecked', 'SearchConverge', /^all servers apply the same commands/],
  ['votes-by-length', 'SearchLongerLog', /^all servers apply the same commands/],
  ['acknowledges-before-saving', 'SearchPersist', /^all servers apply the same commands/],
  ['term-not-persisted', 'SearchVoteCrash', /^a term has at most one leader/],
  ['old-term-commit', 'SearchFigure8', /^all servers apply the same commands/],
  ['reply-term-not-compared', 'SearchStaleAnswer', /^all servers apply the same commands/],
  ['stale-vote-counted', 'SearchLateVote', /^a term has at most one leader/],
  ['next-index-not-reset', 'SearchSecondReign', /^nothing throws: server 0 .* TypeError/],
];

describe('a wrong Raft in the async style', () => {
  test.each(wrongRafts)('%s fails %s', { timeout: 120_000 }, async (file, fails, message) => {
    const { failure } = (await outcomesOf(implementation(`wrong/${file}`), [fails])).get(fails) as Outcome;
    expect(failure?.message).toMatch(message);
    expect(failure?.way.join('\n')).toMatch(/-- the state at the end\nserver 0 is /);
  });

  test('fails the same way again', { timeout: 60_000 }, async () => {
    const once = async (): Promise<Outcome['failure'] | undefined> =>
      (await outcomesOf(implementation('wrong/term-not-persisted'), ['SearchVoteCrash'])).get('SearchVoteCrash')
        ?.failure;
    const first = await once();
    expect(first?.way.length).toBeGreaterThan(3);
    expect(await once()).toEqual(first);
  });
});

describe('an async Raft with save and load', () => {
  /** raft.mjs, which keeps all that it waits for where `save` finds it. */
  const saved = `
    import { Raft } from '${implementation('raft')}';
    const fields = ['currentTerm', 'votedFor', 'log', 'role', 'commitIndex', 'lastApplied', 'nextIndex', 'matchIndex', 'isDue', 'tallies', 'data'];
    class SavedRaft extends Raft {
      tallies = {};
      ask(peer, method, args, counts, votes, onMajority) {
        this.tallies = { ...this.tallies, [method]: { args, votes: [...votes] } };
        return super.ask(peer, method, args, counts, { add: (each) => { votes.add(each); this.tallies[method].votes = [...votes]; }, get size() { return votes.size; } }, onMajority);
      }
      save() {
        const kept = Object.fromEntries(fields.map((name) => [name, this[name]]));
        return { ...kept, isDue: Array.from(this.isDue, Boolean), left: Math.max(0, this.deadline - Date.now()), heard: Math.max(-1000, this.heardLeader - Date.now()) };
      }
      load(saved) {
        for (const name of fields) this[name] = saved[name];
        this.deadline = Date.now() + saved.left;
        this.heardLeader = Date.now() + saved.heard;
        if (this.role === 'leader') for (const peer of this.others()) void this.replicationLoop(peer, this.currentTerm);
      }
    }
    export const make = (...given) => new SavedRaft(...given);`;

  function written(name: string, text: string): string {
    const path = join(folder, `${name}.mjs`);
    writeFileSync(path, text);
    return path;
  }

  test('passes, and knows states that it has met', { timeout: 120_000 }, async () => {
    const outcomes = await outcomesOf(written('saved', saved), ['SearchElection', 'SearchConverge', 'SearchFigure8']);
    for (const [name, { failure, search }] of outcomes) {
      expect(failure, name).toBeNull();
      expect(search?.states, name).toBeGreaterThan(200);
    }
  });

  test('is told when load does not restore what save told', { timeout: 60_000 }, async () => {
    const path = written('badly-loaded', saved.replace('for (const name of fields) this[name] = saved[name];', ''));
    const { failure } = (await outcomesOf(path, ['SearchConverge'])).get('SearchConverge') as Outcome;
    expect(failure?.message).toMatch(/^load restores what save told: getState of server \d said term \d/);
  });
});

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

describe('handlers that are no function of their state and the event are told what to do', () => {
  const calls: readonly (readonly [what: string, code: string, message: RegExp])[] = [
    ['Date.now', 'Date.now()', /threw ImpureHandlerError: Date or performance\.now in a handler.*context\.setTimer/s],
    ['Math.random', 'Math.random()', /threw ImpureHandlerError: Math\.random in a handler/],
    [
      'setTimeout',
      'setTimeout(() => undefined, 10)',
      /threw ImpureHandlerError: setTimeout, setInterval or setImmediate in/,
    ],
  ];

  test.each(calls)('%s', { timeout: 30_000 }, async (what, code, message) => {
    const path = patched(
      `calls-${what}`,
      'function stand(state, context) {',
      `function stand(state, context) {\n  ${code};`,
    );
    const { failure } = (await outcomesOf(path, ['SearchElection'])).get('SearchElection') as Outcome;
    expect(failure?.message).toMatch(message);
  });

  test('a state that is no plain data', { timeout: 30_000 }, async () => {
    const path = patched('set-of-votes', '    votes: [],\n', '    votes: new Set(),\n');
    const { failure } = (await outcomesOf(path, ['SearchElection'])).get('SearchElection') as Outcome;
    expect(failure?.message).toMatch(/Of the state of a handler: What stands at \.votes is a Set\./);
  });

  test('something that is kept elsewhere', { timeout: 30_000 }, async () => {
    const path = patched(
      'counts-elsewhere',
      'function stand(state, context) {',
      'let stood = 0;\nfunction stand(state, context) {\n  state.stood = ++stood;',
    );
    const { failure } = (await outcomesOf(path, ['SearchElection'])).get('SearchElection') as Outcome;
    expect(failure?.message).toMatch(
      /^M: a step is a function of the state and the input, but server \d is in another state/,
    );
  });
});

test('a Raft that does nothing fails for what it never reaches', { timeout: 60_000 }, async () => {
  for (const style of ['handlers', 'async']) {
    const path = fileURLToPath(new URL(`../templates/${style}/raft.js`, import.meta.url));
    const { failure } = (await outcomesOf(path, ['SearchPersist'])).get('SearchPersist') as Outcome;
    expect(failure?.message, style).toMatch(/^server 0 leads: (no order of events|none of \d+ runs) leads there/);
    expect(failure?.way[0], style).toMatch(/^nearest.*: all but "server 0 leads"$/);
  }
});
