/**
 * Cluster configurations (§6; dissertation chapter 4): who belongs, and whose agreement counts. Every count in the core goes through
 * the functions here, joint or not.
 */
import type { Configuration, Incarnation, Index, Member, MemberId, Version } from './types.ts';

/** Longest member id or incarnation, in UTF-8 bytes. */
export const maxIdBytes = 64;
/** Longest member context, in UTF-8 bytes. */
export const maxContextBytes = 4096;
/** Most members that a configuration may name. */
export const maxMembers = 1000;
/** Former lives that a configuration remembers; of more, the oldest are forgotten. */
export const maxFormer = 1000;

/**
 * The configuration that a cluster is created with: these voters and learners, at index 0. With no voters at all it is that
 * of a server that waits to be let in. Throws RangeError when a member stands twice or an id or context is too long.
 */
export function initialConfiguration(
  voters: readonly Member[],
  learners: readonly Member[] = [],
  protocol: Version = 1,
): Configuration {
  const members = [...voters, ...learners].sort(byId);
  const problem = memberProblem(members);
  if (problem !== null) throw new RangeError(problem);
  return {
    index: 0,
    version: 0,
    protocol,
    voters: voters.map((member) => member.id).sort(compareIds),
    outgoing: [],
    learners: learners.map((member) => member.id).sort(compareIds),
    learnersNext: [],
    members,
    target: null,
    former: [],
  };
}

/** Whether every decision now needs two majorities (§6). */
export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

/** Whether `id` votes in either half. */
export function isVoter(configuration: Configuration, id: MemberId): boolean {
  return configuration.voters.includes(id) || configuration.outgoing.includes(id);
}

export function isLearner(configuration: Configuration, id: MemberId): boolean {
  return configuration.learners.includes(id);
}

/** Whether that life of a member has left the cluster for good. */
export function isFormer(configuration: Configuration, id: MemberId, incarnation: Incarnation): boolean {
  return configuration.former.some((life) => life.id === id && life.incarnation === incarnation);
}

export function memberOf(configuration: Configuration, id: MemberId): Member | undefined {
  return configuration.members.find((member) => member.id === id);
}

/** The incarnation of `id` that counts: null while it is not bound, or if `id` is no member. */
export function boundIncarnation(configuration: Configuration, id: MemberId): Incarnation | null {
  return memberOf(configuration, id)?.incarnation ?? null;
}

/** The same cluster, with these incarnations bound to members that had none. */
export function bind(
  configuration: Configuration,
  index: Index,
  incarnations: ReadonlyMap<MemberId, Incarnation>,
): Configuration {
  const members = configuration.members.map((member) =>
    member.incarnation === null ? { ...member, incarnation: incarnations.get(member.id) ?? null } : member,
  );
  return { ...configuration, index, members };
}

/**
 * The largest value that a quorum has reached, for values like match indexes and read rounds: in each half the value that a
 * majority reaches, and of two halves the smaller (§6: both must agree). 0 when there is no voter.
 */
export function quorumValue(configuration: Configuration, valueOf: (id: MemberId) => number): number {
  if (configuration.voters.length === 0) return 0;
  const incoming = majorityValue(configuration.voters, valueOf);
  if (configuration.outgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(configuration.outgoing, valueOf));
}

/** What a count of votes has come to. */
export type Tally = 'won' | 'lost' | 'pending';

/** Counts yes (true), no (false) and silence (undefined), in each half apart (§5.2, §6). */
export function tally(configuration: Configuration, voteOf: (id: MemberId) => boolean | undefined): Tally {
  const incoming = tallyHalf(configuration.voters, voteOf);
  if (configuration.outgoing.length === 0) return incoming;
  const outgoing = tallyHalf(configuration.outgoing, voteOf);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';
}

function majorityValue(voters: readonly MemberId[], valueOf: (id: MemberId) => number): number {
  // Insertion into a sorted list: there are few voters, and this runs for every acknowledgement.
  const values: number[] = [];
  for (const voter of voters) {
    const value = valueOf(voter);
    let at = values.push(value) - 1;
    for (; at > 0 && (values[at - 1] ?? 0) > value; at--) values[at] = values[at - 1] ?? 0;
    values[at] = value;
  }
  // Ascending, so a majority has reached the value that floor(n / 2) others lie above or at.
  return values[Math.floor((values.length - 1) / 2)] ?? 0;
}

function tallyHalf(voters: readonly MemberId[], voteOf: (id: MemberId) => boolean | undefined): Tally {
  const majority = Math.floor(voters.length / 2) + 1;
  let yes = 0;
  let no = 0;
  for (const voter of voters) {
    const vote = voteOf(voter);
    if (vote === true) yes += 1;
    if (vote === false) no += 1;
  }
  if (yes >= majority) return 'won';
  return voters.length - no < majority ? 'lost' : 'pending';
}

export function byId(a: { readonly id: MemberId }, b: { readonly id: MemberId }): number {
  return compareIds(a.id, b.id);
}

/** By UTF-16 code units: the same everywhere, which a locale's order is not. */
export function compareIds(a: MemberId, b: MemberId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Why these members (sorted by id) cannot stand in one configuration, or null. */
export function memberProblem(members: readonly Member[]): string | null {
  if (members.length > maxMembers) return `A cluster has at most ${maxMembers} members, not ${members.length}`;
  for (const [i, member] of members.entries()) {
    if (members[i - 1]?.id === member.id) return `Member ${member.id} stands twice in the configuration`;
    if (member.id === '' || isLonger(member.id, maxIdBytes))
      return `A member id has 1 to ${maxIdBytes} bytes; ${member.id} has ${utf8.encode(member.id).length}`;
    if (member.incarnation !== null && isLonger(member.incarnation, maxIdBytes)) {
      return `The incarnation of member ${member.id} is longer than ${maxIdBytes} bytes`;
    }
    if (isLonger(member.context, maxContextBytes)) {
      return `The context of member ${member.id} is longer than ${maxContextBytes} bytes`;
    }
  }
  return null;
}

const utf8 = new TextEncoder();

/** In UTF-8, of which a character takes three bytes at most: asked for every message with a configuration, and answered by the length alone. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && utf8.encode(text).length > bytes;
}
