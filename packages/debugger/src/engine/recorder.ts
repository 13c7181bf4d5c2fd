/** Makes the record of a step from what the world reports, and from the server before and after. */
import type { Message, TimerName } from '@quorate/raft';
import {
  type CoreAction,
  type CoreServer,
  type CoreWorld,
  describeMessage,
  type Flight,
  type StepReport,
} from '@quorate/sim';
import type { EntryRun, SeenMessage, StepChanges, StepRecord } from './step-record.ts';

/** What is needed of the steps before: where each message was sent, and the last step of each server. */
export interface Origins {
  sentIn(message: number): number | null;
  lastOf(server: string): number | null;
}

export function recordOf(
  action: CoreAction,
  report: StepReport,
  step: number,
  before: CoreWorld,
  after: CoreWorld,
  origins: Origins,
): StepRecord {
  const flight = 'message' in action ? before.flight(action.message) : null;
  const server = report.server ?? (action.kind === 'duplicate' ? (flight?.message.from ?? null) : null);
  const [was, is] = server === null ? [null, null] : [before.server(server), after.server(server)];
  const causes = [
    ...(server === null ? [] : [origins.lastOf(server)]),
    ...(flight === null ? [] : [origins.sentIn(flight.id)]),
  ].filter((cause) => cause !== null);
  const changes = changesOf(was, is);
  return {
    step,
    at: report.now,
    kind: action.kind,
    server,
    title: titleOf(action, flight),
    isRoutine: isRoutine(flight?.message ?? null, action.kind === 'timeout' ? action.timer : null, changes),
    message: action.kind === 'deliver' || action.kind === 'drop' ? seenOrNull(flight) : null,
    isLost: action.kind === 'drop',
    sent: report.sent.map(seen),
    causes: [...new Set(causes)],
    changes,
    appended: report.outputs.flatMap(({ persist }) => runsOf(persist?.entries ?? [])),
    acknowledged: action.kind === 'deliver' ? acknowledgedBy(flight?.message ?? null) : null,
  };
}

function seenOrNull(flight: Flight | null): SeenMessage | null {
  return flight === null ? null : seen(flight);
}

function seen({ id, message }: Flight): SeenMessage {
  const { from, to, kind, term } = message;
  return { id, from, to, kind, term, summary: describeMessage(message) };
}

export function acknowledgedBy(message: Message | null): number | null {
  if (message?.kind === 'appendEntriesReply') return message.accepted ? message.index : null;
  return message?.kind === 'installSnapshotReply' ? message.index : null;
}

export function runsOf(entries: readonly { readonly index: number; readonly term: number }[]): readonly EntryRun[] {
  const runs: { from: number; to: number; term: number }[] = [];
  for (const { index, term } of entries) {
    const last = runs[runs.length - 1];
    if (last !== undefined && last.term === term && last.to === index - 1) last.to = index;
    else runs.push({ from: index, to: index, term });
  }
  return runs;
}

export function changesOf(was: CoreServer | null, is: CoreServer | null): StepChanges {
  const [before, after] = [was?.raft ?? null, is?.raft ?? null];
  const last = after?.log.lastIndex ?? null;
  const lastBefore = before?.log.lastIndex ?? null;
  const cut = last !== null && lastBefore !== null && last < lastBefore;
  return {
    role: changed(before?.role, after?.role),
    term: changed(before?.term, after?.term),
    vote: changed(before?.vote, after?.vote),
    last: changed(lastBefore, last),
    truncatedTo: cut ? last : null,
    durable: changed(before?.durability.durableIndex, after?.durability.durableIndex),
    commit: changed(before?.commitIndex, after?.commitIndex),
    applied: changed(before?.appliedIndex, after?.appliedIndex),
  };
}

function changed<Value>(before: Value | null | undefined, after: Value | null | undefined): Value | null {
  return after === undefined || after === before ? null : after;
}

/** Rhythm: it keeps things as they are. */
export function isRoutine(message: Message | null, timer: TimerName | null, changes: StepChanges): boolean {
  if (changes.role !== null || changes.term !== null || changes.commit !== null) return false;
  if (message !== null) return message.kind === 'heartbeat' || message.kind === 'heartbeatReply';
  return timer !== null && timer !== 'election';
}

const verbs = { deliver: 'arrives', drop: 'is lost', duplicate: 'is doubled', delay: 'is held up' } as const;

/** What happens, in a sentence without its end. */
export function titleOf(action: CoreAction, flight: Flight | null): string {
  switch (action.kind) {
    case 'deliver':
    case 'drop':
    case 'duplicate':
    case 'delay': {
      if (flight === null) return `message ${action.message} ${verbs[action.kind]}`;
      const { kind, from, to } = flight.message;
      return `${kind} ${from}→${to} ${verbs[action.kind]}`;
    }
    case 'timeout':
      return `${action.server}: its ${action.timer} timer runs out`;
    case 'persist':
      return `${action.server}: a write is durable`;
    case 'apply':
      return `${action.server}: its state machine applies`;
    case 'load':
      return `${action.server}: its disk has read entries`;
    case 'snapshotSent':
      return `${action.server} learns how its snapshot fared`;
    case 'compact':
      return `${action.server} takes a snapshot`;
    case 'propose':
      return `a client of ${action.server} proposes`;
    case 'read':
      return `a client of ${action.server} wants to read`;
    case 'change':
      return `a client of ${action.server} asks: ${action.change.op} ${action.change.member}`;
    case 'transfer':
      return `${action.server} is to hand over to ${action.target}`;
    case 'crash':
      return action.keep === 0
        ? `${action.server} crashes`
        : `${action.server} crashes; ${action.keep} of its writes survive`;
    case 'crashAtDisk':
      return `${action.server} will crash at its next write`;
    case 'restart':
      return `${action.server} starts again`;
    case 'pause':
      return `${action.server} stands still`;
    case 'resume':
      return `${action.server} goes on`;
    case 'damage':
      return `entry ${action.index} rots on the disk of ${action.server}`;
    case 'cut':
      return `the link ${action.from}→${action.to} is cut`;
    case 'mend':
      return `the link ${action.from}→${action.to} is mended`;
    case 'heal':
      return 'all links are mended';
    case 'restage':
      return `stage of the search: ${action.stage}${action.forget ? '; messages in flight are lost' : ''}`;
  }
}
