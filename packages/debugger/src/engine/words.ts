/** Inputs, outputs and messages in the words of the paper, short enough for one line. */
import {
  type Configuration,
  type Entry,
  type Input,
  type Output,
  type PersistBatch,
  type RaftEvent,
} from '@quorate/raft';
import { describeMessage } from '@quorate/sim';
import type { OutputLine } from './happening.ts';
import { withShortNames } from './names.ts';

const longestCommand = 40;

function rangeWords(entries: readonly Entry[]): string {
  const first = entries[0];
  const last = entries[entries.length - 1];
  if (first === undefined || last === undefined) return 'nothing';
  return first === last ? `${first.index}` : `${first.index}–${last.index}`;
}

function commandWords(data: Uint8Array): string {
  const text = new TextDecoder().decode(data);
  return text.length <= longestCommand ? text : `${text.slice(0, longestCommand - 1)}…`;
}

function configurationWords(configuration: Configuration): string {
  const { voters, outgoing, learners } = configuration;
  const joint = outgoing.length > 0 ? `${outgoing.join(' ')} → ` : '';
  return `voters ${joint}${voters.join(' ')}${learners.length > 0 ? `, learners ${learners.join(' ')}` : ''}`;
}

export function inputWords(input: Input): string {
  return withShortNames(wordsOfInput(input));
}

function wordsOfInput(input: Input): string {
  switch (input.kind) {
    case 'timeout':
      return `the ${input.name} timer has run out`;
    case 'message':
      return `${input.message.kind} from ${input.message.from}, term ${input.message.term}: ${describeMessage(input.message)}`;
    case 'propose':
      return `a client proposes ${input.commands.map(commandWords).join(', ')}`;
    case 'read':
      return `a client wants to read (${input.id})`;
    case 'change':
      return `a client wants the membership changed: ${input.changes.map((each) => each.op).join(', ')}`;
    case 'transfer':
      return `leadership is to go to ${input.target ?? 'whoever is closest'}`;
    case 'persisted':
      return `batch ${input.id} is durable`;
    case 'applied':
      return `the state machine has applied up to ${input.index}`;
    case 'loaded':
      return `storage has read ${rangeWords(input.entries)}`;
    case 'loadFailed':
      return `storage cannot read: ${input.reason}`;
    case 'faulty':
      return `storage found entry ${input.index} damaged`;
    case 'compacted':
      return `a snapshot up to ${input.snapshot.index} is durable`;
    case 'snapshotSent':
      return `the snapshot ${input.delivered ? 'reached' : 'did not reach'} ${input.peer}`;
    case 'unreachable':
      return `${input.peer} cannot be reached`;
    case 'peerGone':
      return `nobody listens at ${input.peer}`;
  }
}

/** An output, line by line, in the order in which a driver carries it out. */
export function outputLines(output: Output): readonly OutputLine[] {
  const lines: OutputLine[] = [];
  const say = (kind: OutputLine['kind'], text: string): void => void lines.push({ kind, text: withShortNames(text) });
  for (const event of output.events) say('event', eventWords(event));
  if (output.persist !== null) say('persist', batchWords(output.persist));
  for (const { message, after } of output.send) {
    const words = `${message.kind} to ${message.to}: ${describeMessage(message)}`.replace(/: $/, '');
    if (after === 0) say('send', words);
    else say('wait', `until batch ${after} is durable: ${words}`);
  }
  for (const { name, min, max } of output.arm) {
    say('arm', max === 0 ? `${name}: off` : `${name}: ${milliseconds(min)}–${milliseconds(max)} ms`);
  }
  if (output.restore !== null) say('restore', `the snapshot up to ${output.restore.snapshot.index}`);
  if (output.apply !== null) say('apply', `${output.apply.from}–${output.apply.to}`);
  for (const { from, to } of output.load) say('load', `${from}–${to} from storage`);
  for (const line of answers(output)) say('answer', line);
  return lines;
}

function batchWords({ id, hardState, truncateFrom, entries, snapshot, adopt, repairs }: PersistBatch): string {
  const parts = [
    ...(hardState === null ? [] : [`term ${hardState.term}, vote ${hardState.vote ?? 'none'}`]),
    ...(snapshot === null ? [] : [`snapshot up to ${snapshot.index} in place of the log`]),
    ...(adopt === null ? [] : [`snapshot up to ${adopt.index}`]),
    ...(truncateFrom === 0 ? [] : [`cut from ${truncateFrom} on`]),
    ...(entries.length === 0 ? [] : [`entries ${rangeWords(entries)}`]),
    ...(repairs.length === 0 ? [] : [`repairs ${rangeWords(repairs)}`]),
  ];
  return `batch ${id}: ${parts.join('; ')}`;
}

function answers({ proposals, reads, changes, transfers }: Output): readonly string[] {
  return [
    ...proposals.map(({ index, term, refused, unknown }) =>
      unknown
        ? 'proposal: nobody can know'
        : index === 0
          ? `proposal: refused, ${refused ?? ''}`
          : `proposal: appended at ${index}·t${term}`,
    ),
    ...reads.map(({ id, index, refused }) =>
      refused === null ? `read ${id}: at ${index}` : `read ${id}: refused, ${refused}`,
    ),
    ...changes.map(({ index, refused }) =>
      index === 0 ? `change: refused, ${refused ?? 'unknown'}` : `change: appended at ${index}`,
    ),
    ...transfers.map(({ outcome }) => `transfer: ${outcome}`),
  ];
}

function eventWords(event: RaftEvent): string {
  switch (event.kind) {
    case 'role':
      return `${event.role} of term ${event.term}: ${event.reason}`;
    case 'leader':
      return event.leader === null
        ? `knows no leader of term ${event.term}`
        : `${event.leader} leads term ${event.term}`;
    case 'vote':
      return `${event.granted ? 'grants' : 'refuses'} ${event.pre ? 'a pre-vote' : 'its vote'} to ${event.candidate}: ${event.reason}`;
    case 'lateAnswer':
      return `${event.voter} answers a pre-vote of an earlier round: too late`;
    case 'configuration':
      return `configuration: ${configurationWords(event.configuration)}`;
    case 'truncated':
      return `cuts entries ${event.from}–${event.to}`;
    case 'faulty':
      return `entry ${event.index} is damaged`;
    case 'repaired':
      return `entry ${event.index} is whole again`;
    case 'violation':
      return `${event.peer} breaks the rules: ${event.reason}`;
    case 'foreignIncarnation':
      return `${event.member} speaks as ${event.seen}, and ${event.bound ?? 'nobody'} counts`;
  }
}

function milliseconds(micros: number): string {
  return String(Math.round(micros / 1000));
}
