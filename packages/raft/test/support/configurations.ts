/** Configurations for tests, and what a quorum is, written down a second time in the plainest way. */
import type { Configuration, Incarnation, Member, MemberId } from '../../src/index.ts';

export interface Shape {
  readonly voters: readonly MemberId[];
  readonly outgoing?: readonly MemberId[];
  readonly learners?: readonly MemberId[];
  readonly learnersNext?: readonly MemberId[];
  /** Members whose incarnation no leader has bound yet. */
  readonly unbound?: readonly MemberId[];
}

/** The incarnation that a member's first data directory gets in tests. */
export function firstIncarnation(id: MemberId): Incarnation {
  return `${id}-1`;
}

export function configuration(shape: Shape, index = 0): Configuration {
  const voters = [...shape.voters].sort();
  const outgoing = [...(shape.outgoing ?? [])].sort();
  const learners = [...(shape.learners ?? [])].sort();
  const ids = [...new Set([...voters, ...outgoing, ...learners])].sort();
  const members: Member[] = ids.map((id) => ({
    id,
    incarnation: shape.unbound?.includes(id) ? null : firstIncarnation(id),
    context: '',
  }));
  const learnersNext = [...(shape.learnersNext ?? [])].sort();
  return {
    index,
    version: 0,
    protocol: 1,
    voters,
    outgoing,
    learners,
    learnersNext,
    members,
    target: null,
    former: [],
  };
}

/** n1 … n`count`. */
export function memberNames(count: number, first = 1): MemberId[] {
  return Array.from({ length: count }, (_, position) => `n${first + position}`);
}

/** Whether these servers are a majority of the voters and, while joint, of the outgoing voters too (§6). */
export function isQuorum(of: Configuration, servers: ReadonlySet<MemberId>): boolean {
  return isMajority(of.voters, servers) && (of.outgoing.length === 0 || isMajority(of.outgoing, servers));
}

function isMajority(voters: readonly MemberId[], servers: ReadonlySet<MemberId>): boolean {
  return voters.filter((voter) => servers.has(voter)).length * 2 > voters.length;
}
