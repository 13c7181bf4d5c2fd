/**
 * Mistakes that Rafts have been seen to make, put into a copy of our core (packages/sim/mutants, packages/sim/scripts/bugs.mjs), each with
 * the smallest world in which a search finds it. Figures: docs/model-checking.md.
 */
import type { CoreWorldOptions } from '../core-world/options.ts';
import { committed, goal, type GoalPart, leads, twoLeaders } from './predicates.ts';
import type { Stage } from './stages.ts';

export interface Bug {
  /** What `quorate check --bug` calls it. */
  readonly name: string;
  /** The patch in packages/sim/mutants. */
  readonly mutant: string;
  /** What the core does wrong, in a sentence without its full stop. */
  readonly mistake: string;
  /** What would be right, with the section that says so. */
  readonly rule: string;
  readonly world: Omit<CoreWorldOptions, 'core'>;
  /** Where one search would be too deep: the way is then a shortest one in each stage. Null: one search from the beginning. */
  readonly stages: readonly Stage[] | null;
}

/** Heartbeats never arrive: AppendEntries do all that matters here. */
const lost = ['heartbeat', 'heartbeatReply'] as const;
/** The election of Figure 2 alone: fewer steps to a leader. */
const raft = { stableLeadership: false };
const none = { requests: 0, stickiness: 0 };

/** Elections, with writes that are durable at once. */
const elections: Bug['world'] = {
  servers: 3,
  timing: 'order',
  disk: 'atOnce',
  lost,
  raft,
  budgets: { ...none, terms: 2, elections: 3 },
};
/** Elections, with writes that take a step, and a crash that loses them. */
const disks: Bug['world'] = {
  ...elections,
  disk: 'steps',
  tornCrashes: false,
  budgets: { ...none, terms: 2, elections: 2, crashes: 1 },
};
/** Enough leaders for one of them to find another's entries. */
const leaders: Bug['world'] = { ...elections, budgets: { ...none, terms: 3, elections: 3 } };

export const bugs: readonly Bug[] = [
  {
    name: 'figure8',
    mutant: 'old-term-committed',
    mistake: 'a leader commits entries of earlier terms by counting copies',
    rule: 'a leader counts copies of entries of its own term only; what came before is committed with them (§5.4.2, Figure 8)',
    world: {
      ...elections,
      symmetry: false,
      // One entry a message, as in the figure: a copy of the old entry arrives before the new one does.
      raft: { ...raft, maxAppendBytes: 1 },
      // That it counts wrongly is one thing, what comes of it another: the search is for that.
      unjudged: ['C3'],
      budgets: { ...none, terms: 4, elections: 8, crashes: 1 },
    },
    stages: [
      { name: '(a) n1 leads, and its entry reaches nobody', goal: goal('n1 leads', leads('n1')) },
      { name: '(b) n3 leads the next term with n2', forget: true, goal: goal('n3 leads', leads('n3')) },
      {
        name: '(c) n1 crashes, comes back and leads again',
        forget: true,
        begin: [
          { kind: 'crash', server: 'n1', keep: 0 },
          { kind: 'restart', server: 'n1' },
        ],
        goal: goal('n1 leads', leads('n1')),
      },
      { name: '(c) it commits its old entry', goal: goal('an entry is committed', committed(1)) },
      { name: '(d) what comes of it', goal: null },
    ],
  },
  {
    name: 'old-terms',
    mutant: 'old-term-committed',
    mistake: 'a leader commits entries of earlier terms by counting copies',
    rule: 'a leader counts copies of entries of its own term only (§5.4.2)',
    world: { ...leaders, raft: { ...raft, maxAppendBytes: 1 }, budgets: { ...none, terms: 2, elections: 2 } },
    stages: null,
  },
  {
    name: 'votes-twice',
    mutant: 'votes-twice',
    mistake: 'whoever asks gets the vote, whoever has it',
    rule: 'a server votes for one candidate a term (§5.2)',
    world: elections,
    stages: null,
  },
  {
    name: 'forgets-vote',
    mutant: 'vote-cleared-on-step-down',
    mistake: 'a candidate that steps down within its term may vote again',
    rule: 'only a new term clears the vote (Figure 2)',
    world: elections,
    stages: null,
  },
  {
    name: 'half-elects',
    mutant: 'half-elects',
    mistake: 'half of the votes elect',
    rule: 'a candidate needs the votes of a majority (§5.2)',
    world: elections,
    stages: null,
  },
  {
    name: 'log-unasked',
    mutant: 'log-of-candidate-unasked',
    mistake: "a vote does not ask how far the candidate's log goes",
    rule: 'a voter refuses a candidate whose log is less up-to-date than its own (§5.4.1)',
    world: elections,
    stages: null,
  },
  {
    name: 'vote-before-disk',
    mutant: 'vote-before-durable',
    mistake: 'a vote is sent before it is on disk',
    rule: 'term and vote are on stable storage before anyone is answered (Figure 2)',
    world: disks,
    stages: null,
  },
  {
    name: 'term-unwritten',
    mutant: 'term-not-persisted',
    mistake: 'a new term is taken on and never written',
    rule: 'the current term is on stable storage before anyone is answered (Figure 2)',
    world: disks,
    stages: null,
  },
  {
    name: 'ack-before-disk',
    mutant: 'ack-in-memory',
    mistake: 'entries are acknowledged before they are on disk',
    rule: 'the log is on stable storage before anyone is answered (Figure 2)',
    world: disks,
    stages: null,
  },
  {
    name: 'counts-memory',
    mutant: 'leader-counts-memory',
    mistake: 'a leader counts itself before its own disk has the entries',
    rule: 'a leader that writes in parallel counts itself only when the write is durable (dissertation §10.2.1)',
    world: disks,
    stages: null,
  },
  {
    name: 'quorum-less-one',
    mutant: 'quorum-of-one-less',
    mistake: 'one copy fewer than a majority commits',
    rule: 'an entry is committed when a majority has it (§5.3)',
    world: leaders,
    stages: null,
  },
  {
    name: 'conflict-kept',
    mutant: 'conflict-kept',
    mistake: 'an entry of another term is taken for the same one',
    rule: 'an entry that conflicts with a new one is cut, with all that follow it (Figure 2)',
    world: leaders,
    stages: null,
  },
  {
    name: 'prev-unasked',
    mutant: 'prev-term-unchecked',
    mistake: 'the term of the entry before the new ones is not compared',
    rule: 'a follower refuses entries whose predecessor it does not have, by index and term (§5.3)',
    world: leaders,
    stages: null,
  },
  {
    name: 'leader-gives-way',
    mutant: 'leader-gives-way',
    mistake: 'a leader drops the entries that a follower refuses',
    rule: 'a leader never overwrites or deletes entries in its log (Leader Append-Only, §5.3)',
    world: leaders,
    stages: null,
  },
  {
    name: 'applies-early',
    mutant: 'applies-uncommitted',
    mistake: 'entries are applied when they are in the log',
    rule: 'only committed entries are applied (§5.3)',
    world: { ...elections, budgets: { ...none, terms: 2, elections: 2, requests: 1 } },
    stages: null,
  },
  {
    name: 'stale-read',
    mutant: 'read-unconfirmed',
    mistake: 'a leader answers reads without asking whether it still leads',
    rule: 'a leader proves by a round of heartbeats, sent after the read came, that it leads (dissertation §6.4)',
    world: { ...elections, lost: [], budgets: { ...none, terms: 2, elections: 2, reads: 1 } },
    stages: [
      {
        name: 'a leader commits; an answer to its first heartbeat is late',
        goal: goal('one entry', committed(1), oldAnswerInFlight()),
      },
      {
        name: 'another leads and commits, and it does not know',
        goal: goal('two leaders', committed(2), twoLeaders(), oldAnswerInFlight()),
      },
      { name: 'it is asked', budgets: { heartbeats: 1 }, goal: null },
    ],
  },
];

function oldAnswerInFlight(): GoalPart {
  return {
    name: 'an answer to a heartbeat of term 1 is in flight',
    distance: ({ flights }) =>
      flights.some(({ message }) => message.kind === 'heartbeatReply' && message.term === 1) ? 0 : 1,
  };
}

export function bugNamed(name: string): Bug | null {
  return bugs.find((bug) => bug.name === name) ?? null;
}
