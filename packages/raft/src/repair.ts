/**
 * How faulty entries become whole: the questions (CTRL, FAST '18, §3.4; the answers stand in lend.ts).
 *
 * Any server asks the others. *Have*, from anyone, settles an entry. A leader settles what its state machine still needs before its
 * term begins: while an entry is unknown it may be committed, so nothing may be appended in its place, and nothing behind it
 * sent. *DontHave* from a majority (of each half, §6) proves that it is not: a commit would need one of them to have held it, and
 * each said so in this leader's term, so none can take it from an earlier leader any more. Then it is cut, with all behind it.
 * With *haveFaulty*, or too few answers, the leader waits; in the end it lets others try, as it does at *compacted*: there only a
 * snapshot helps, and a leader gets none.
 */
import { tally } from './configuration.ts';
import { cut } from './cut.ts';
import { faultyAt, lacksSnapshot, missingBehind, noteFaulty, noteRepaired, takeRepair } from './faulty.ts';
import type { FaultyMark } from './log.ts';
import { currentConfiguration } from './membership.ts';
import type { FetchAnswer, FetchEntriesReply } from './message.ts';
import { endStandingBack, standBackForRepair } from './standing-back.ts';
import { becomeFollower, beginTerm, maxPatience, needsRecovery } from './role.ts';
import { envelope, send } from './send.ts';
import type { Core, Leadership } from './state.ts';
import { armTimer } from './timers.ts';
import type { Index, LogPosition, MemberId } from './types.ts';

/** Election timeouts for which a server lets others stand after it could not settle its entries as leader. */
const standBackTimeouts = 2;

/** The server starts: its own disk may have been found damaged. */
export function startRepair(core: Core): void {
  askAnew(core);
}

/** Storage met a damaged record while it was reading. */
export function onFaulty(core: Core, index: Index): void {
  noteFaulty(core, index);
  // Asked already, and soon again: a record that can never be made whole must not become an endless stream of questions.
  if (!core.state.repair.armed) askAnew(core);
}

/** This server leads now. What others said to earlier leaders counts for nothing. */
export function onElected(core: Core): void {
  for (const mark of core.state.log.faulty) mark.lackedBy = [];
  endStandingBack(core);
  askAnew(core);
}

export function onRepairTimeout(core: Core): void {
  core.state.repair.armed = false;
  yieldOffice(core);
  ask(core);
}

/** Batches became durable; with them, maybe, entries that were faulty. */
export function onRepairsDurable(core: Core): void {
  if (!noteRepaired(core)) return;
  settle(core);
  askAnew(core);
}

export function onFetchEntriesReply(core: Core, message: FetchEntriesReply): void {
  const { state } = core;
  let isNews = false;
  for (const answer of message.answers) {
    if (answer.verdict === 'have') isNews = takeRepair(core, message.from, answer.entry) || isNews;
    else if (message.round === state.repair.round) noteVerdict(core, message.from, answer);
  }
  if (isNews && state.leadership !== null) state.leadership.patience = maxPatience;
  settle(core);
}

function askAnew(core: Core): void {
  core.state.repair.delay = core.options.heartbeatInterval;
  ask(core);
}

/** Asks for as many entries as one message may name, and for a snapshot if this server's is damaged, and again after a while, longer each time. */
function ask(core: Core): void {
  const { state, options } = core;
  const { repair } = state;
  const wanted = missingBehind(state.log, repair.askedTo, options.maxFetchEntries);
  const snapshot = lacksSnapshot(state) ? state.snapshot.index : 0;
  if (wanted.length === 0 && snapshot === 0) return;
  repair.askedTo = lastAsked(wanted, repair.askedTo);
  repair.round += 1;
  const { round } = repair;
  const applied = state.appliedIndex;
  const question = { kind: 'fetchEntries', round, applied, snapshot, wanted } as const;
  for (const to of whomToAsk(core)) send(core, { ...question, ...envelope(core, to) });
  repair.armed = true;
  armTimer(core, 'repair', repair.delay, repair.delay);
  repair.delay = Math.min(2 * repair.delay, options.electionTimeoutMin);
}

/** The questions went around the end of the log if there is one at or before `before`: then the last of those comes last. */
function lastAsked(wanted: readonly LogPosition[], before: Index): Index {
  const wrapped = wanted.findLast(({ index }) => index <= before);
  return (wrapped ?? wanted.at(-1))?.index ?? 0;
}

/** A leader needs everyone's word. For any other server the leader's is enough, so every other round goes to it alone. */
function whomToAsk(core: Core): readonly MemberId[] {
  const { state, options } = core;
  const { leader, repair } = state;
  const others = currentConfiguration(state)
    .members.map((member) => member.id)
    .filter((id) => id !== options.id);
  if (leader === null || leader === options.id) return others;
  return repair.round % 2 === 1 || !others.includes(leader) ? [leader] : others;
}

function noteVerdict(core: Core, from: MemberId, answer: Exclude<FetchAnswer, { verdict: 'have' }>): void {
  const { log, leadership, appliedIndex } = core.state;
  const { index, term } = answer.position;
  const mark = faultyAt(log, index);
  if (mark === undefined || mark.term !== term || mark.entry !== null) return;
  if (answer.verdict === 'dontHave') {
    if (leadership !== null && !mark.lackedBy.includes(from)) mark.lackedBy.push(from);
  } else if (answer.verdict === 'compacted') {
    // What is applied is in the state machine: its own snapshot can stand for it too.
    if (index <= appliedIndex) core.out.takeSnapshot = true;
    else if (leadership !== null) leadership.patience = 0;
  }
}

/** Draws the conclusions that the answers allow. */
function settle(core: Core): void {
  const { state } = core;
  const { leadership } = state;
  if (leadership === null || !leadership.recovering) return;
  const lost = state.log.faulty.find((mark) => isNowhere(core, mark));
  if (lost !== undefined) {
    cut(core, lost.index);
    // Nothing was sent in this term yet: where to begin was guessed from the longer log.
    for (const progress of leadership.progress) progress.next = Math.min(progress.next, lost.index);
  }
  if (!needsRecovery(state)) beginTerm(core, leadership);
}

/** Whether the entry is certain not to be committed. */
function isNowhere(core: Core, mark: FaultyMark): boolean {
  if (mark.entry !== null || mark.index <= core.state.commitIndex) return false;
  return tally(currentConfiguration(core.state), (id) => (mark.lackedBy.includes(id) ? true : undefined)) === 'won';
}

/** A leader whose state machine is held up for too long steps down and stands back: another may have what it lacks. */
function yieldOffice(core: Core): void {
  const { state } = core;
  const { leadership } = state;
  if (leadership === null || leadership.progress.length === 0 || !isHeldUp(core)) return;
  if (isPatient(leadership)) return;
  standBackForRepair(core, standBackTimeouts);
  becomeFollower(core, state.term, null, 'could not settle entries that are faulty here');
}

function isHeldUp(core: Core): boolean {
  const { log, appliedIndex } = core.state;
  return log.faulty.some((mark) => mark.index > appliedIndex && mark.entry === null);
}

function isPatient(leadership: Leadership): boolean {
  leadership.patience -= 1;
  return leadership.patience > 0;
}
