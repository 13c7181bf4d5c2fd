/** Steps of a way that a search found, in sentences, and what the cluster is like at its end. */
import type { ApplyMessage } from '../interface.ts';
import type { LabAction } from './action.ts';
import type { LabMessage } from './message.ts';
import { describePlain } from '../record/describe.ts';
import type { SearchedServer } from './server.ts';
import type { LabStep } from './step.ts';
import type { Turned } from './turn.ts';
import type { LabView } from './view.ts';

/** `before`: the servers as they were. */
export function tellStep(step: LabStep, before: readonly SearchedServer[]): string {
  const { turned } = step;
  const effects = turned === null ? [] : effectsOf(turned, before[turned.server.id]);
  return [tellEvent(step), ...effects].join('; ');
}

/** What happened, without what came of it. */
export function tellEvent({ action, message, turned, command }: LabStep): string {
  switch (action.kind) {
    case 'deliver':
      return message === null ? 'a message arrives' : arrival(message, turned);
    case 'fail':
      return message === null ? 'a call fails' : failure(message);
    case 'duplicate':
      return message === null ? 'a call is doubled' : `${callOf(message)} will arrive twice`;
    case 'start': {
      const started = turned?.started ?? null;
      const told = started?.isLeader === true ? `index ${started.index} of term ${started.term}` : 'it does not lead';
      return `a client wants ${command ?? 'a command'} of server ${action.server}: ${told}`;
    }
    default:
      return plainEvent(action);
  }
}

function plainEvent(action: Exclude<LabAction, { kind: 'deliver' | 'fail' | 'duplicate' | 'start' }>): string {
  switch (action.kind) {
    case 'timeout':
      if (action.timer === 'idle') return `time passes at server ${action.server}, and its timers are late`;
      return action.timer === 'clock'
        ? `time passes at server ${action.server}`
        : `timer '${action.timer}' of server ${action.server} runs out`;
    case 'snapshot':
      return `the service on server ${action.server} hands over a snapshot`;
    case 'change':
      return `server ${action.server} is to make ${action.members.join(', ')} the members`;
    case 'crash':
      return `server ${action.server} crashes`;
    case 'restart':
      return `server ${action.server} starts again from what it saved`;
    case 'partition':
      return action.sides.length === 1
        ? 'all servers reach each other'
        : `the network is cut: ${action.sides.map((side) => `{${side.join(', ')}}`).join(' ')}`;
    case 'lose':
      return `messages in flight are lost${action.from === null ? '' : ` from server ${action.from}`}${action.to === null ? '' : ` to server ${action.to}`}`;
    case 'restage':
      return action.stage;
  }
}

function callOf({ from, to, method, args }: LabMessage): string {
  return `${method} of server ${from} to server ${to} ${describePlain(args)}`;
}

function arrival(message: LabMessage, turned: Turned<SearchedServer> | null): string {
  const { kind, from, to, method, args, answer, isAwaited } = message;
  if (kind === 'answer') return `server ${to} has server ${from}'s answer to ${method}: ${describePlain(answer)}`;
  const answered = turned === null || !isAwaited ? '' : `, answer ${describePlain(turned.answer)}`;
  return `server ${to} is called by server ${from}: ${method} ${describePlain(args)}${answered}`;
}

function failure({ kind, from, to, method }: LabMessage): string {
  const [caller, other] = kind === 'call' ? [from, to] : [to, from];
  return `server ${caller} gets no answer to ${method} from server ${other}`;
}

function effectsOf(
  { server, calls, applied, hasBegun }: Turned<SearchedServer>,
  before: SearchedServer | undefined,
): string[] {
  const effects: string[] = [];
  const { id, term, isLeader } = server;
  if (isLeader && before?.isLeader !== true) effects.push(`server ${id} leads term ${term} now`);
  else if (term !== before?.term) effects.push(`server ${id} is in term ${term} now`);
  if (!isLeader && before?.isLeader === true) effects.push(`server ${id} leads no more`);
  for (const message of applied) effects.push(application(id, message));
  const called = [...new Set(calls.map(({ method, to }) => `${method} of ${to}`))];
  if (called.length > 0) effects.push(`it calls ${called.join(', ')}`);
  if (hasBegun) effects.push('it has begun');
  return effects;
}

function application(server: number, message: ApplyMessage): string {
  return message.kind === 'command'
    ? `server ${server} applies ${describePlain(message.command)} at index ${message.index}`
    : `server ${server} applies a snapshot up to index ${message.index}`;
}

/** A line for each server, what was ever applied, and what is in flight. */
export function tellState({ servers, ghost, flights }: LabView): string[] {
  const lines = servers.map(({ id, status, term, isLeader, applied }) => {
    if (status !== 'up') return `server ${id} is down`;
    return `server ${id} is in term ${term}${isLeader ? ', leads' : ''}, has applied ${applied === 0 ? 'nothing' : `up to ${applied}`}`;
  });
  const leaders = ghost.leaders.map(({ term, server }) => `${term}: server ${server}`);
  if (leaders.length > 0) lines.push(`leaders by term: ${leaders.join(', ')}`);
  const applied = ghost.applied.map((command, at) => `${at + 1}: ${describePlain(command)}`);
  if (applied.length > 0) lines.push(`applied anywhere: ${applied.join(', ')}`);
  const shown = flights.slice(-MAX_FLIGHTS).map(({ message }) => {
    const { kind, from, to, method } = message;
    return kind === 'call' ? `${method} ${from} → ${to}` : `answer to ${method} ${from} → ${to}`;
  });
  if (shown.length > 0) lines.push(`in flight: ${shown.join(', ')}${flights.length > shown.length ? ' …' : ''}`);
  return lines;
}

/** Messages in flight that are listed: the newest. */
const MAX_FLIGHTS = 12;
