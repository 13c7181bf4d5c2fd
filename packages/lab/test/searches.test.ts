/** The searches pass right Rafts, and each of them fails a Raft with the mistake that it is there for. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type HandlerModule, type Outcome, searches } from '../src/index.ts';
import { quorateHandlers, quorateStates } from '../src/ours/quorate-handlers.ts';
import { searchHandlers } from '../src/search/search-handlers.ts';
import type { SearchTest } from '../src/suite/search-test.ts';
import { mistaken } from '../src/teaching/mistake.ts';
import { mistakes } from '../src/teaching/mistakes.ts';
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
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, mistaken(readFileSync(right, 'utf8'), { name, from, to }));
  return path;
}

function planting(name: string): string {
  const mistake = mistakes.find((each) => each.name === name);
  if (mistake === undefined) throw new Error(`There is no mistake ${name}.`);
  return patched(name, mistake.from, mistake.to);
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

/** Of src/teaching/mistakes.ts: the search made for each, and what it says. */
const planted: readonly (readonly [name: string, fails: string, message: RegExp])[] = [
  [
    'votes-twice',
    'SearchElection',
    /^a term has at most one leader: server \d led term 1, but server \d leads it too$/,
  ],
  ['candidate-ignores-leader', 'SearchCandidate', /no order of events leads there \(server 0 applies c1\)$/],
  ['vote-unsaved', 'SearchVoteCrash', /^a term has at most one leader/],
  ['late-vote-counted', 'SearchLateVote', /^a term has at most one leader/],
  ['yields-to-whoever-comes-back', 'SearchRejoin', /^a leader that works is not disturbed: server 0 led and was heard/],
  ['never-lets-go', 'SearchCutOff', /^a term has at most one leader/],
  ['one-copy-is-enough', 'SearchNoMajority', /^without a majority nothing is committed/],
  ['votes-by-length', 'SearchLongerLog', /^all servers apply the same commands/],
  ['log-unasked', 'SearchLoseLeader', /^all servers apply the same commands/],
  ['never-goes-back', 'SearchConverge', /^the next command, .* \(server 0 applies c4\)$/],
  ['old-term-commit', 'SearchFigure8', /^all servers apply the same commands: "c1" was applied at index 1/],
  ['always-cuts', 'SearchLateAppend', /^(all servers apply the same commands|nothing throws)/],
  ['entries-unsaved', 'SearchPersist', /^all servers apply the same commands/],
  ['late-answer-counted', 'SearchStaleAnswer', /^all servers apply the same commands/],
  ['next-index-kept', 'SearchSecondReign', /^nothing throws: server 0 /],
  [
    'old-snapshot-taken',
    'SearchLateSnapshot',
    /^nothing that is applied is lost: server 2 has applied everything up to 2, but it applies a snapshot that ends at 1$/,
  ],
  [
    'snapshot-not-saved-again',
    'SearchSnapshotCrash',
    /^commands are applied in order: .* up to 0, but it applies index 2$/,
  ],
  [
    'answers-at-once',
    'SearchStaleRead',
    /^all servers apply the same commands: "c2" was applied at index 2, but server 0 applies "c3" there/,
  ],
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
  test.each(planted)('%s fails %s', { timeout: 60_000 }, async (name, fails, message) => {
    const { failure } = (await outcomesOf(planting(name), [fails])).get(fails) as Outcome;
    expect(failure?.message).toMatch(message);
    expect(failure?.way.length).toBeGreaterThan(3);
  });

  test('every search but that of members has one that fails it: handlers.mjs changes no members', () => {
    const fails = new Set(planted.map(([, each]) => each));
    expect(names.filter((name) => !fails.has(name))).toEqual(['SearchMembership']);
  });
});

describe('SearchMembership', () => {
  const ours = quorateHandlers();
  type Core = Parameters<NonNullable<typeof ours.change>>[0]['raft'];

  /** Searches ours, and notes whether each change began; `meddle` has the core behind it. */
  function search(meddle: (core: Core) => void = () => undefined) {
    const begun: boolean[] = [];
    const module: typeof ours = {
      ...ours,
      change(state, members, context) {
        const isBegun = ours.change?.(state, members, context) === true;
        begun.push(isBegun);
        meddle(state.raft);
        return isBegun;
      },
    };
    const membership = searches.find(({ name }) => name === 'SearchMembership') as SearchTest;
    const subject = { module: module as HandlerModule, states: quorateStates(membership.servers) };
    return { begun, ...searchHandlers(membership, subject, () => undefined) };
  }

  test('fails a change of members without the joint phase', { timeout: 60_000 }, () => {
    // From now on the new members decide alone (§6: both the old and the new must agree).
    const { begun, failure, summary } = search(({ configurations }) => {
      const newest = configurations.pop();
      if (newest === undefined) throw new Error('There is always a configuration in force.');
      const left = newest.members.filter(({ id }) => newest.voters.includes(id));
      configurations.push({ ...newest, outgoing: [], members: left });
    });
    expect(begun).toEqual([true]);
    expect(failure?.message).toMatch(
      /^all servers apply the same commands: "c2" was applied at index 2, but server 1 applies/,
    );
    expect(summary.way?.told).toBeGreaterThan(10);
  });

  test('begins its changes, and none is refused', { timeout: 60_000 }, () => {
    const { begun, failure } = search();
    expect(failure).toBeNull();
    expect(begun).toEqual([true, true]);
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
