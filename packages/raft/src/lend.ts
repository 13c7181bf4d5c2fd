/**
 * What a server answers when another asks for entries that are damaged there (repair.ts asks). An entry is its index and term, by Log
 * Matching (§5.3), so whoever has it may send it, leader or not, committed or not, durable or not.
 */
import { faultyAt } from './faulty.ts';
import { isForeign } from './identity.ts';
import { cached, termAt } from './log.ts';
import type { FetchAnswer, FetchEntries } from './message.ts';
import { envelope, send } from './send.ts';
import { sendSnapshot } from './snapshot.ts';
import type { Core, Loan } from './state.ts';
import type { Entry, Index, LogPosition, MemberId } from './types.ts';
import { weightOf } from './weight.ts';

export function onFetchEntries(core: Core, message: FetchEntries): void {
  const { from, round, applied } = message;
  const wanted = message.wanted.slice(0, core.options.maxFetchEntries);
  const answers: FetchAnswer[] = [];
  const unloaded: LogPosition[] = [];
  let bytes = 0;
  for (const position of wanted) {
    const answer = answerTo(core, position);
    if (answer === null) unloaded.push(position);
    else if (answer === 'none') continue;
    else if (answer.verdict !== 'have') answers.push(answer);
    else {
      // What does not fit is asked for again.
      bytes += weightOf(answer.entry.data);
      if (bytes <= core.options.maxAppendBytes || bytes === weightOf(answer.entry.data)) answers.push(answer);
    }
  }
  // Also without an answer, if the asker has to learn of a later term.
  if (answers.length > 0 || message.term < core.state.term) reply(core, from, round, answers);
  borrow(core, from, round, unloaded);
  const isBehind = (index: Index): boolean => index > applied && message.snapshot === 0;
  const compacted = answers.some((answer) => answer.verdict === 'compacted' && isBehind(answer.position.index));
  if (compacted) offerSnapshot(core, from);
  else if (message.snapshot > 0) offerFrom(core, from, message.snapshot);
}

/** The follower can do with a snapshot at `index` or behind it only. What it had applied is committed, so this state gets there. */
function offerFrom(core: Core, follower: MemberId, index: Index): void {
  const { state, out } = core;
  if (state.snapshot.index >= index) offerSnapshot(core, follower);
  else if (state.leadership !== null && state.appliedIndex >= index) out.takeSnapshot = true;
}

/** What this server knows of the entry; null if it has to be loaded, 'none' if it may not say. */
function answerTo(core: Core, position: LogPosition): FetchAnswer | 'none' | null {
  const { log } = core.state;
  const { index, term } = position;
  if (index <= log.base.index) return { verdict: 'compacted', position };
  if (termAt(log, index) !== term) {
    // Another incarnation may have had it, and may have helped to commit it.
    return isForeign(core) ? 'none' : { verdict: 'dontHave', position };
  }
  const mark = faultyAt(log, index);
  const entry = mark === undefined ? cached(log, index, index, 1)[0] : mark.entry;
  if (entry === null) return { verdict: 'haveFaulty', position };
  return entry === undefined ? null : { verdict: 'have', entry };
}

function reply(core: Core, to: MemberId, round: number, answers: readonly FetchAnswer[]): void {
  send(core, { kind: 'fetchEntriesReply', ...envelope(core, to), round, answers });
}

/** Reads the first run of entries that memory does not hold; the rest will be asked for again. One run at a time for each peer. */
function borrow(core: Core, peer: MemberId, round: number, unloaded: readonly LogPosition[]): void {
  const { state, options, out } = core;
  const first = unloaded[0];
  if (first === undefined || state.loans.some((loan) => loan.peer === peer)) return;
  const end = unloaded.findIndex(({ index }, i) => index !== first.index + i);
  const wanted = end === -1 ? unloaded : unloaded.slice(0, end);
  const load = state.nextLoad;
  state.nextLoad += 1;
  state.loans.push({ load, peer, round, wanted });
  out.load.push({ id: load, from: first.index, to: first.index + wanted.length - 1, maxBytes: options.maxAppendBytes });
}

/** A load request is answered. Returns whether it was for another server's faulty entries. */
export function onLent(core: Core, id: number, entries: readonly Entry[]): boolean {
  const loan = takeLoan(core, id);
  if (loan === undefined) return false;
  const { log } = core.state;
  // The log may have changed since: what is no longer in it is not vouched for.
  const still = entries.filter(({ index, term }) => termAt(log, index) === term && isWanted(loan, index, term));
  if (still.length > 0) reply(core, loan.peer, loan.round, still.map(have));
  return true;
}

/** It cannot be answered: by now this server knows more of those entries, or nothing that it could say. */
export function onNotLent(core: Core, id: number): boolean {
  const loan = takeLoan(core, id);
  if (loan === undefined) return false;
  const answers: FetchAnswer[] = [];
  for (const position of loan.wanted) {
    const answer = answerTo(core, position);
    if (answer !== null && answer !== 'none') answers.push(answer);
  }
  if (answers.length > 0) reply(core, loan.peer, loan.round, answers);
  return true;
}

function takeLoan(core: Core, id: number): Loan | undefined {
  const { state } = core;
  const loan = state.loans.find((it) => it.load === id);
  if (loan !== undefined) state.loans = state.loans.filter((it) => it !== loan);
  return loan;
}

function isWanted(loan: Loan, index: number, term: number): boolean {
  return loan.wanted.some((position) => position.index === index && position.term === term);
}

function have(entry: Entry): FetchAnswer {
  return { verdict: 'have', entry };
}

/** A follower's entries, or its snapshot, are damaged where the leader has a snapshot: it gets that. */
function offerSnapshot(core: Core, follower: MemberId): void {
  const { leadership } = core.state;
  const progress = leadership?.progress.find((it) => it.id === follower);
  if (leadership === null || leadership.recovering || progress === undefined || progress.state === 'snapshot') return;
  sendSnapshot(core, progress);
}
