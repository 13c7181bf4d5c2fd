/** Everything that a script prints: one line a fact, facts only, so that no change of wording changes an expectation. */
import {
  type ChangeResult,
  type Configuration,
  type Entry,
  EntryKind,
  type FetchAnswer,
  type LogPosition,
  type MemberChange,
  type Message,
  type PersistBatch,
  type ProposalResult,
  type RaftEvent,
  type ReadResult,
  type TransferResult,
} from '../../../src/index.ts';
import type { TestServer } from '../server.ts';

const decoder = new TextDecoder();
const longestList = 6;

export function formatPosition(position: LogPosition): string {
  return `${position.index}/${position.term}`;
}

export function formatEntry(entry: Entry): string {
  return `${formatPosition(entry)}:${formatData(entry)}`;
}

function formatData(entry: Entry): string {
  switch (entry.kind) {
    case EntryKind.noop:
      return 'noop';
    case EntryKind.configuration:
      return 'configuration';
    case EntryKind.command:
      return entry.data.length > 12 ? `${entry.data.length}B` : decoder.decode(entry.data);
  }
}

export function formatEntries(entries: readonly Entry[]): string {
  const shown = entries.map(formatEntry);
  if (shown.length > longestList) {
    shown.splice(2, shown.length - 4, `+${shown.length - 4}`);
  }
  return `(${shown.join(' ')})`;
}

export function formatConfiguration(of: Configuration): string {
  const parts = [`voters=(${of.voters.join(' ')})`];
  for (const [name, ids] of [
    ['outgoing', of.outgoing],
    ['learners', of.learners],
    ['learnersNext', of.learnersNext],
  ] as const) {
    if (ids.length > 0) {
      parts.push(`${name}=(${ids.join(' ')})`);
    }
  }
  const unbound = of.members.filter((member) => member.incarnation === null).map((member) => member.id);
  if (unbound.length > 0) {
    parts.push(`unbound=(${unbound.join(' ')})`);
  }
  if (of.target !== null) {
    const { voters, leaving, successors } = of.target;
    parts.push(`target=(${voters.join(' ')})`);
    if (leaving.length > 0) parts.push(`leaving=(${leaving.join(' ')})`);
    if (successors.length > 0) parts.push(`successors=(${successors.map((it) => it.incarnation).join(' ')})`);
  }
  if (of.protocol > 1) parts.push(`protocol=${of.protocol}`);
  if (of.former.length > 0) parts.push(`former=(${of.former.map((it) => it.incarnation).join(' ')})`);
  return `${of.index}: ${parts.join(' ')}`;
}

/** `appendEntries t2 prev=1/1 entries=(2/2:a) commit=1`, without the addresses. */
export function formatMessage(message: Message): string {
  return [`${message.kind} t${message.term}`, ...messageFields(message)].join(' ');
}

function messageFields(message: Message): string[] {
  switch (message.kind) {
    case 'preVote':
      return [`round=${message.round}`, `last=${message.lastIndex}/${message.lastTerm}`];
    case 'preVoteReply':
      return [`round=${message.round}`, message.granted ? 'granted' : 'refused'];
    case 'requestVote':
      return [`last=${message.lastIndex}/${message.lastTerm}`, ...(message.transfer ? ['transfer'] : [])];
    case 'requestVoteReply':
      return [message.granted ? 'granted' : 'refused'];
    case 'appendEntries':
      return [
        `prev=${message.prevIndex}/${message.prevTerm}`,
        `entries=${formatEntries(message.entries)}`,
        `commit=${message.commit}`,
      ];
    case 'appendEntriesReply':
      return message.accepted
        ? [`accepted=${message.index}`]
        : [`refused=${message.index}`, `hint=${message.hintIndex}/${message.hintTerm}`];
    case 'heartbeat':
      return [`commit=${message.commit}`, `round=${message.round}`];
    case 'heartbeatReply':
      return [
        `round=${message.round}`,
        ...(message.speaks > 1 ? [`speaks=${message.speaks}`] : []),
        ...(message.behind ? ['behind'] : []),
      ];
    case 'installSnapshot':
      return [`snapshot=${formatPosition(message.snapshot)}`];
    case 'installSnapshotReply':
      return [`snapshot=${message.snapshotIndex}`, `matches=${message.index}`];
    case 'readIndex':
      return [`id=${message.id}`];
    case 'readIndexReply':
      return [`id=${message.id}`, message.refused ?? `index=${message.index}`];
    case 'propose':
      return [`id=${message.id}`, `commands=(${message.commands.map(formatCommand).join(' ')})`];
    case 'proposeReply':
      return [`id=${message.id}`, `count=${message.count}`, message.refused ?? `index=${message.index}`];
    case 'changeMembers':
      return [`id=${message.id}`, `version=${message.version}`, ...message.changes.map(formatChange)];
    case 'changeMembersReply':
      return [`id=${message.id}`, message.refused ?? `index=${message.index}`];
    case 'timeoutNow':
      return [];
    case 'fetchEntries':
      return [
        `round=${message.round}`,
        ...(message.snapshot > 0 ? [`snapshot=${message.snapshot}`] : []),
        `wanted=(${message.wanted.map(formatPosition).join(' ')})`,
      ];
    case 'fetchEntriesReply':
      return [`round=${message.round}`, ...message.answers.map(formatAnswer)];
  }
}

function formatChange(change: MemberChange): string {
  const detail = change.op === 'readmit' ? `:${change.incarnation}` : '';
  const op = change.op === 'add' && !change.voter ? 'learn' : change.op;
  return `${op}=${change.id}${detail}`;
}

function formatAnswer(answer: FetchAnswer): string {
  return answer.verdict === 'have'
    ? `have=${formatEntry(answer.entry)}`
    : `${answer.verdict}=${formatPosition(answer.position)}`;
}

function formatCommand(command: Uint8Array): string {
  return command.length > 12 ? `${command.length}B` : decoder.decode(command);
}

export function formatBatch(batch: PersistBatch): string {
  const parts = [`#${batch.id}`];
  if (batch.snapshot !== null) {
    parts.push(`snapshot=${formatPosition(batch.snapshot)}`);
  }
  if (batch.adopt !== null) {
    parts.push(`adopt=${formatPosition(batch.adopt)}`);
  }
  if (batch.repairs.length > 0) {
    parts.push(`repairs=${formatEntries(batch.repairs)}`);
  }
  if (batch.truncateFrom > 0) {
    parts.push(`cut=${batch.truncateFrom}`);
  }
  if (batch.entries.length > 0) {
    parts.push(`entries=${formatEntries(batch.entries)}`);
  }
  if (batch.hardState !== null) {
    parts.push(`term=${batch.hardState.term} vote=${batch.hardState.vote ?? '-'}`);
  }
  return parts.join(' ');
}

export function formatProposal(result: ProposalResult): string {
  const numbers = result.count === 1 ? `${result.id}` : `${result.id}..${result.id + result.count - 1}`;
  if (result.unknown) {
    return `proposal ${numbers} unknown`;
  }
  return result.refused === null
    ? `proposal ${numbers} at ${result.index}/${result.term}`
    : `proposal ${numbers} refused ${result.refused}`;
}

export function formatChangeResult(result: ChangeResult): string {
  if (result.unknown) return `change ${result.id} unknown`;
  return result.refused === null
    ? `change ${result.id} at ${result.index}/${result.term}`
    : `change ${result.id} refused ${result.refused}`;
}

export function formatTransfer({ id, outcome }: TransferResult): string {
  return `transfer ${id} ${outcome}`;
}

export function formatRead(result: ReadResult): string {
  return result.refused === null
    ? `read ${result.id} at ${result.index}`
    : `read ${result.id} refused ${result.refused}`;
}

/** Null for events that only repeat what other lines say. */
export function formatEvent(event: RaftEvent): string | null {
  switch (event.kind) {
    case 'role':
      return `role ${event.role} t${event.term}`;
    case 'leader':
      return `leader ${event.leader ?? '-'} t${event.term}`;
    case 'vote':
      return null;
    case 'lateAnswer':
      return `late answer of ${event.voter}`;
    case 'configuration':
      return `configuration ${formatConfiguration(event.configuration)}`;
    case 'truncated':
      return `truncated ${event.from}..${event.to}`;
    case 'violation':
      return `violation by ${event.peer}`;
    case 'faulty':
      return `faulty ${formatPosition(event)}`;
    case 'repaired':
      return `repaired ${formatPosition(event)}`;
    case 'foreignIncarnation':
      return `foreign ${event.member} bound=${event.bound ?? '-'} seen=${event.seen}`;
  }
}

export function formatState(server: TestServer): string {
  if (!server.running) {
    const { durable } = server.disk;
    return `${server.id} down term=${durable.hardState.term} vote=${durable.hardState.vote ?? '-'} last=${durable.lastIndex}`;
  }
  const status = server.core.status();
  return [
    server.id,
    status.role,
    `term=${status.term}`,
    `vote=${status.vote ?? '-'}`,
    `leader=${status.leader ?? '-'}`,
    `commit=${status.commitIndex}`,
    `applied=${status.appliedIndex}`,
    `durable=${status.durableIndex}`,
    `last=${status.lastIndex}`,
    ...(status.baseIndex > 0 ? [`base=${status.baseIndex}`] : []),
    ...(status.faultyEntries > 0 ? [`faulty=${status.faultyEntries}`] : []),
    ...(status.recovering ? ['recovering'] : []),
    ...(status.foreignIncarnation ? ['foreign'] : []),
  ].join(' ');
}

/** The whole log as the server sees it, and where its durable part ends. */
export function formatLog(server: TestServer): string {
  const { latest, durable } = server.disk;
  const shown = latest.entries.map(
    (entry) => (durable.chainAt(entry.index) === latest.chainAt(entry.index) ? '' : '?') + formatEntry(entry),
  );
  const base = latest.base.index > 0 ? [`[${formatPosition(latest.base)}]`] : [];
  return `${server.id} log ${[...base, ...shown].join(' ') || '(empty)'}`;
}

export function formatFollowers(server: TestServer): string[] {
  return server.core
    .status()
    .followers.map(
      (follower) =>
        `${server.id} sees ${follower.id} ${follower.state} match=${follower.matchIndex} next=${follower.nextIndex}` +
        (follower.inflightMessages > 0 ? ` inflight=${follower.inflightMessages}/${follower.inflightBytes}B` : ''),
    );
}

/** Largest unit without a fraction: `150ms`, `1s`. */
export function formatDuration(micros: number): string {
  if (micros % 1_000_000 === 0) {
    return `${micros / 1_000_000}s`;
  }
  return micros % 1000 === 0 ? `${micros / 1000}ms` : `${micros}us`;
}
