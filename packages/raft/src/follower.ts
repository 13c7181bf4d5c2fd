/** Log replication, the follower's side: Figure 2, AppendEntries RPC, "Receiver implementation". */
import { commitTo } from './commit.ts';
import { decodeConfiguration } from './configuration-codec.ts';
import { cut } from './cut.ts';
import { intactTo, takeRepair } from './faulty.ts';
import { append, lastPositionWithTermAtMost, lastTerm, termAt } from './log.ts';
import { onAppended } from './membership.ts';
import type { AppendEntries } from './message.ts';
import { fullBarrier } from './persistence.ts';
import { envelope, send, sendAfter } from './send.ts';
import type { Core } from './state.ts';
import { type Entry, EntryKind, type Index, type MemberId } from './types.ts';

/** The message is of the current term and comes from its leader. */
export function onAppendEntries(core: Core, message: AppendEntries): void {
  const { state } = core;
  const problem = whyMalformed(message);
  if (problem !== null) {
    core.out.events.push({ kind: 'violation', peer: message.from, reason: problem });
    return;
  }
  const { prevIndex, prevTerm, entries } = message;
  const lastNew = prevIndex + entries.length;
  if (prevIndex > state.log.lastIndex || (prevIndex > state.commitIndex && termAt(state.log, prevIndex) !== prevTerm)) {
    refuse(core, message);
    return;
  }
  // Behind a committed previous entry the logs agree anyway (§5.4.3), whatever this log still remembers of it.
  if (!store(core, message.from, entries)) return;
  // Only what this very message has shown to match may count as committed: a longer tail may be another leader's.
  commitTo(core, Math.min(message.commit, lastNew));
  acknowledge(core, message.from, Math.max(lastNew, state.commitIndex));
}

/** What no correct leader sends, or null. A peer can be wrong without this server being so. */
function whyMalformed(message: AppendEntries): string | null {
  let { prevIndex: index, prevTerm: term } = message;
  for (const entry of message.entries) {
    if (entry.index !== index + 1) return `sends entry ${entry.index} behind ${index}`;
    if (entry.term < term || entry.term > message.term)
      return `sends entry ${entry.index} of term ${entry.term} behind ${term}`;
    if (entry.kind > EntryKind.configuration) {
      return `sends entry ${entry.index} of kind ${entry.kind}, which this version does not know; upgrade this server`;
    }
    if (entry.kind === EntryKind.configuration && decodeConfiguration(entry.data, entry.index) === null) {
      return `sends a malformed configuration in entry ${entry.index}`;
    }
    index = entry.index;
    term = entry.term;
  }
  return null;
}

/**
 * Appends what is not there yet. An entry of another term at the same index is a real conflict, and only that cuts the log
 * (Figure 2, steps 3 and 4): a message that arrives late must not undo what a later one brought.
 */
function store(core: Core, leader: MemberId, entries: readonly Entry[]): boolean {
  const { state } = core;
  for (const entry of entries) {
    if (state.log.faulty.length > 0) takeRepair(core, leader, entry);
    if (entry.index <= state.commitIndex) continue;
    if (entry.index <= state.log.lastIndex) {
      if (termAt(state.log, entry.index) === entry.term) continue;
      cut(core, entry.index);
    }
    if (entry.term < lastTerm(state.log)) {
      const reason = `sends entry ${entry.index} of term ${entry.term} behind a committed one of a later term`;
      core.out.events.push({ kind: 'violation', peer: leader, reason });
      return false;
    }
    append(state.log, entry);
    onAppended(core, entry);
  }
  return true;
}

/** Says that this log matches the leader's up to `lastNew`, as far as it is whole, once all of that is on disk. */
function acknowledge(core: Core, leader: MemberId, lastNew: Index): void {
  const { durability } = core.state;
  const index = intactTo(core, lastNew);
  const { group, from, to, incarnation, term } = envelope(core, leader);
  sendAfter(
    core,
    {
      kind: 'appendEntriesReply',
      group,
      from,
      to,
      incarnation,
      term,
      accepted: true,
      index,
      hintIndex: 0,
      hintTerm: 0,
    },
    index > durability.durableIndex ? fullBarrier(core) : 0,
  );
}

/** Refuses, and names the last position here that can agree: at most prevIndex, of a term no later than prevTerm (§5.3). */
export function refuse(core: Core, message: AppendEntries): void {
  const { prevIndex, prevTerm, from } = message;
  const hint = lastPositionWithTermAtMost(core.state.log, prevIndex, prevTerm);
  send(core, {
    kind: 'appendEntriesReply',
    ...envelope(core, from),
    accepted: false,
    index: prevIndex,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}
