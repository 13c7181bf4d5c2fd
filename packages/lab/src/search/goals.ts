/** What the search tests ask for, in parts that say how far off they are. */
import type { GoalPart } from '@quorate/sim';
import type { LabView } from './view.ts';

type Part = GoalPart<LabView>;

export function leads(server: number): Part {
  return { name: `server ${server} leads`, distance: ({ servers }) => (isLeader(servers[server]) ? 0 : 1) };
}

/** A leader whom a majority could have elected since: in a term above that one. */
export function leadsAbove(server: number, term: number): Part {
  return {
    name: `server ${server} leads in a term above ${term}`,
    distance: ({ servers }) => (isLeader(servers[server]) && (servers[server]?.term ?? 0) > term ? 0 : 1),
  };
}

export function follows(server: number): Part {
  return { name: `server ${server} does not lead`, distance: ({ servers }) => (isLeader(servers[server]) ? 1 : 0) };
}

/** That many commands, of all that were ever started, are applied somewhere. */
export function committed(commands: number): Part {
  return {
    name: `${commands} ${commands === 1 ? 'command is' : 'commands are'} committed`,
    distance: ({ ghost }) => Math.max(0, commands - ghost.applied.length),
  };
}

/** This very command is applied somewhere. */
export function isCommitted(command: string): Part {
  return { name: `${command} is committed`, distance: ({ ghost }) => (ghost.applied.includes(command) ? 0 : 1) };
}

/** Each of these servers has applied so much. */
export function applied(commands: number, servers: readonly number[]): Part {
  return {
    name: `${servers.length === 1 ? 'server' : 'servers'} ${servers.join(', ')} applied ${commands}`,
    distance: (world) =>
      servers.reduce((sum, server) => sum + Math.max(0, commands - (world.servers[server]?.applied ?? 0)), 0),
  };
}

export function inTerm(server: number, term: number): Part {
  return {
    name: `server ${server} is in term ${term} or later`,
    distance: ({ servers }) => Math.max(0, term - (servers[server]?.term ?? 0)),
  };
}

/** A call, or the answer to one, is still on its way between the two. */
export function onItsWay(kind: 'call' | 'answer', from: number, to: number): Part {
  return {
    name: `${kind === 'call' ? 'a call' : 'an answer'} of server ${from} to server ${to} is on its way`,
    distance: ({ flights }) =>
      flights.some(({ message }) => message.kind === kind && message.from === from && message.to === to) ? 0 : 1,
  };
}

function isLeader(server: LabView['servers'][number] | undefined): boolean {
  return server !== undefined && server.status === 'up' && server.isLeader;
}

/** Nothing is on its way between these servers. */
export function settled(servers: readonly number[]): Part {
  return {
    name: `nothing is on its way between servers ${servers.join(' and ')}`,
    distance: ({ flights }) =>
      flights.filter(({ message: { from, to } }) => servers.includes(from) && servers.includes(to)).length,
  };
}

export function uncommitted(): Part {
  return { name: 'nothing is committed', distance: ({ ghost }) => ghost.applied.length };
}

/** A call of the one to the other will arrive though it has arrived before, or will once more. */
export function doubled(from: number, to: number): Part {
  return {
    name: `a call of server ${from} to server ${to} is doubled`,
    distance: ({ flights }) =>
      flights.some(({ message }) => !message.isAwaited && message.from === from && message.to === to) ? 0 : 1,
  };
}

export function noneOnItsWay(kind: 'call' | 'answer', from: number, to: number): Part {
  return {
    name: `no ${kind} of server ${from} to server ${to} is on its way`,
    distance: ({ flights }) =>
      flights.filter(({ message }) => message.kind === kind && message.from === from && message.to === to).length,
  };
}

/** The command is in the log that the server has saved. */
export function holds(server: number, command: string): Part {
  return {
    name: `server ${server} has saved ${command}`,
    distance: (world) => (world.hasSaved(server, command) ? 0 : 1),
  };
}
