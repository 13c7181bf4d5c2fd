/** What a run can be told to go on to: small plain data that a picker makes and a link can hold. */
import type { Role } from '@quorate/raft';
import type { CoreWorld } from '@quorate/sim';
import { shortName } from './names.ts';

export type Predicate =
  /** Somebody leads; with `server`, that one. */
  | { readonly kind: 'leader'; readonly server: string | null }
  | { readonly kind: 'term'; readonly atLeast: number }
  | { readonly kind: 'commit'; readonly atLeast: number }
  /** Two servers believe that they lead, each in a term of its own. */
  | { readonly kind: 'twoLeaders' }
  /** Two servers have different entries at the same index. */
  | { readonly kind: 'conflict' }
  /** All servers that are up have and know the same. */
  | { readonly kind: 'agreed' }
  | { readonly kind: 'violation' };

/** What of a server it takes to say whether something is so. `raft` is null while the server is down. */
export interface SeenServer {
  readonly id: string;
  readonly raft: {
    readonly role: Role;
    readonly term: number;
    readonly commitIndex: number;
    readonly log: {
      readonly lastIndex: number;
      readonly cache: readonly { readonly index: number; readonly term: number }[];
    };
  } | null;
}

/** Why it holds, in words; null while it does not. A violation is told by whoever judges the branch. */
export function holds(
  predicate: Predicate,
  world: { readonly servers: readonly SeenServer[] } & Pick<CoreWorld, 'broken'>,
): string | null {
  const up = world.servers.filter(({ raft }) => raft !== null);
  switch (predicate.kind) {
    case 'leader': {
      const leader = up.find(({ id, raft }) => raft?.role === 'leader' && (predicate.server ?? id) === id);
      return leader === undefined ? null : `${shortName(leader.id)} leads term ${leader.raft?.term ?? 0}`;
    }
    case 'term': {
      const there = up.find(({ raft }) => (raft?.term ?? 0) >= predicate.atLeast);
      return there === undefined ? null : `${shortName(there.id)} is in term ${there.raft?.term ?? 0}`;
    }
    case 'commit': {
      const there = up.find(({ raft }) => (raft?.commitIndex ?? 0) >= predicate.atLeast);
      return there === undefined ? null : `${shortName(there.id)} has committed up to ${there.raft?.commitIndex ?? 0}`;
    }
    case 'twoLeaders': {
      const leaders = up.filter(({ raft }) => raft?.role === 'leader');
      return leaders.length < 2
        ? null
        : leaders.map(({ id, raft }) => `${shortName(id)} leads term ${raft?.term ?? 0}`).join(', ');
    }
    case 'conflict':
      return conflict(world.servers);
    case 'agreed':
      return agreed(world.servers);
    case 'violation':
      return world.broken === null ? null : `${world.broken.invariant} is broken`;
  }
}

function conflict(servers: readonly SeenServer[]): string | null {
  const seen = new Map<number, { readonly id: string; readonly term: number }>();
  for (const { id, raft } of servers) {
    for (const { index, term } of raft?.log.cache ?? []) {
      const other = seen.get(index);
      if (other !== undefined && other.term !== term) {
        return `entry ${index} is of term ${other.term} at ${shortName(other.id)} and of term ${term} at ${shortName(id)}`;
      }
      seen.set(index, { id, term });
    }
  }
  return null;
}

function agreed(servers: readonly SeenServer[]): string | null {
  const [first, ...rest] = servers;
  if (first?.raft === null || first === undefined) return null;
  const { term, commitIndex, log } = first.raft;
  const isSame = rest.every(
    ({ raft }) =>
      raft !== null && raft.term === term && raft.commitIndex === commitIndex && raft.log.lastIndex === log.lastIndex,
  );
  return isSame && commitIndex === log.lastIndex && commitIndex > 0
    ? `all servers have committed up to ${commitIndex}`
    : null;
}

export function describePredicate(predicate: Predicate): string {
  switch (predicate.kind) {
    case 'leader':
      return predicate.server === null ? 'somebody leads' : `${shortName(predicate.server)} leads`;
    case 'term':
      return `term ${predicate.atLeast} is reached`;
    case 'commit':
      return `entry ${predicate.atLeast} is committed`;
    case 'twoLeaders':
      return 'two servers believe that they lead';
    case 'conflict':
      return 'two logs differ at an index';
    case 'agreed':
      return 'all servers agree';
    case 'violation':
      return 'an invariant is broken';
  }
}
