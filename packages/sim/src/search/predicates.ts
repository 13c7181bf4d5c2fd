/** What a search looks for, what must hold wherever it comes, and where it turns back. Each has a name and says why. */
import type { MemberId } from '@quorate/raft';
import type { CoreWorld } from '../core-world/world.ts';

/** Must hold in every state, besides the judges of the core world (core-world/judges.ts), which always look. */
export interface Invariant<World = CoreWorld> {
  readonly name: string;
  /** How it is broken here, in a sentence; null if it holds. */
  readonly broken: (world: World) => string | null;
}

/** A state that should be reachable: all of its parts hold at once. */
export interface Goal<World = CoreWorld> {
  readonly name: string;
  readonly parts: readonly GoalPart<World>[];
}

export interface GoalPart<World = CoreWorld> {
  readonly name: string;
  /** How far this state is from it, as a whole number; 0 where it holds. Need not be exact: it tells near misses apart. */
  readonly distance: (world: World) => number;
}

/** Where a state is not gone on from. */
export interface Prune<World = CoreWorld> {
  readonly name: string;
  /** Why not, in a sentence; null to go on. The same sentence counts as the same reason. */
  readonly reason: (world: World) => string | null;
}

/** The parts of a goal that do not hold, with how far off they are. */
export interface Miss {
  readonly part: string;
  readonly distance: number;
}

export function missesOf<World>(goal: Goal<World>, world: World): Miss[] {
  const misses: Miss[] = [];
  for (const { name, distance } of goal.parts) {
    const left = distance(world);
    if (left > 0) misses.push({ part: name, distance: left });
  }
  return misses;
}

/** Goals and prunes that are asked for often. Those that name a server need a world without symmetry. */
export function leads(server: MemberId | null = null): GoalPart {
  return {
    name: server === null ? 'somebody leads' : `${server} leads`,
    distance: (world) => {
      const roles = world.servers.filter(({ id }) => server === null || id === server).map(({ raft }) => raft?.role);
      if (roles.includes('leader')) return 0;
      if (roles.includes('candidate')) return 1;
      return roles.includes('preCandidate') ? 2 : 3;
    },
  };
}

export function inTerm(term: number): GoalPart {
  return {
    name: `a leader was elected in term ${term} or later`,
    distance: (world) => Math.max(0, term - (world.ghost.leaders.at(-1)?.term ?? 0)),
  };
}

export function committed(entries: number): GoalPart {
  return {
    name: `${entries} entries are committed`,
    distance: (world) => Math.max(0, entries - world.ghost.committed.length),
  };
}

export function applied(commands: number, server: MemberId | null = null): GoalPart {
  return {
    name: `${server ?? 'every server'} has applied ${commands} commands`,
    distance: (world) => {
      const machines = world.servers.filter(({ id }) => server === null || id === server);
      return machines.reduce((sum, { machine }) => sum + Math.max(0, commands - machine.commands), 0);
    },
  };
}

export function twoLeaders(): GoalPart {
  return {
    name: 'two servers lead, in different terms',
    distance: (world) => Math.max(0, 2 - world.servers.filter(({ raft }) => raft?.role === 'leader').length),
  };
}

/** A goal of several parts. */
export function goal<World = CoreWorld>(name: string, ...parts: readonly GoalPart<World>[]): Goal<World> {
  return { name, parts };
}
