/**
 * Cluster configurations (§6; dissertation chapter 4): who belongs, whose agreement counts, and the bytes in which an
 * entry carries one. Every count in the core goes through the functions here, joint or not.
 */
import { invariant } from './invariant.ts';
import type { Configuration, Incarnation, Index, Member, MemberId } from './types.ts';

/** Longest member id or incarnation, in UTF-8 bytes. */
export const maxIdBytes = 64;
/** Longest member context, in UTF-8 bytes. */
export const maxContextBytes = 4096;
/** Most members that a configuration may name. */
export const maxMembers = 1000;

/**
 * The configuration that a cluster is created with: these voters and learners, at index 0. With no voters at all it is that
 * of a server that waits to be let in. Throws RangeError when a member stands twice or an id or context is too long.
 */
export function initialConfiguration(voters: readonly Member[], learners: readonly Member[] = []): Configuration {
  const members = [...voters, ...learners].sort(byId);
  const problem = memberProblem(members);
  if (problem !== null) throw new RangeError(problem);
  return {
    index: 0,
    voters: voters.map((member) => member.id).sort(compareIds),
    outgoing: [],
    learners: learners.map((member) => member.id).sort(compareIds),
    learnersNext: [],
    members,
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
    let at = values.length;
    while (at > 0 && (values[at - 1] ?? 0) > value) at -= 1;
    values.splice(at, 0, value);
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

function byId(a: Member, b: Member): number {
  return compareIds(a.id, b.id);
}

/** By UTF-16 code units: the same everywhere, which a locale's order is not. */
function compareIds(a: MemberId, b: MemberId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Why these members (sorted by id) cannot stand in one configuration, or null. */
function memberProblem(members: readonly Member[]): string | null {
  if (members.length > maxMembers) return `A cluster has at most ${maxMembers} members, not ${members.length}`;
  for (const [i, member] of members.entries()) {
    if (members[i - 1]?.id === member.id) return `Member ${member.id} stands twice in the configuration`;
    const idBytes = utf8.encode(member.id).length;
    if (idBytes === 0 || idBytes > maxIdBytes)
      return `A member id has 1 to ${maxIdBytes} bytes; ${member.id} has ${idBytes}`;
    if (member.incarnation !== null && utf8.encode(member.incarnation).length > maxIdBytes) {
      return `The incarnation of member ${member.id} is longer than ${maxIdBytes} bytes`;
    }
    if (utf8.encode(member.context).length > maxContextBytes) {
      return `The context of member ${member.id} is longer than ${maxContextBytes} bytes`;
    }
  }
  return null;
}

// --------------------------------------------------------------------------------------------------------------- codec
//
// Version 1, little-endian:
//   u8 version · u16 member count · for each member, sorted by id: u8 flags, u8 length + id, [u8 length + incarnation],
//   u16 length + context. Flags: voter 1, outgoing 2, learner 4, learnerNext 8, incarnation present 16.

const formatVersion = 1;
const flagVoter = 1;
const flagOutgoing = 2;
const flagLearner = 4;
const flagLearnerNext = 8;
const flagIncarnation = 16;
const utf8 = new TextEncoder();

/** Bytes for an entry's `data`. `index` is not part of them: it is the entry's own. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const bytes: number[] = [formatVersion];
  pushU16(bytes, configuration.members.length);
  for (const member of configuration.members) {
    const id = utf8.encode(member.id);
    const context = utf8.encode(member.context);
    bytes.push(memberFlags(configuration, member), id.length, ...id);
    if (member.incarnation !== null) {
      const incarnation = utf8.encode(member.incarnation);
      bytes.push(incarnation.length, ...incarnation);
    }
    pushU16(bytes, context.length);
    bytes.push(...context);
  }
  return Uint8Array.from(bytes);
}

function memberFlags(configuration: Configuration, member: Member): number {
  const { id, incarnation } = member;
  const flags =
    (configuration.voters.includes(id) ? flagVoter : 0) |
    (configuration.outgoing.includes(id) ? flagOutgoing : 0) |
    (configuration.learners.includes(id) ? flagLearner : 0) |
    (configuration.learnersNext.includes(id) ? flagLearnerNext : 0);
  invariant(flags !== 0, `member ${id} of a configuration has no part in it`);
  return flags | (incarnation === null ? 0 : flagIncarnation);
}

function pushU16(bytes: number[], value: number): void {
  bytes.push(value & 0xff, value >>> 8);
}

/** Decodes what `encodeConfiguration` made; null if the bytes are not a well-formed configuration. */
export function decodeConfiguration(data: Uint8Array, index: Index): Configuration | null {
  const reader = new Reader(data);
  if (reader.u8() !== formatVersion) return null;
  const count = reader.u16();
  const voters: MemberId[] = [];
  const outgoing: MemberId[] = [];
  const learners: MemberId[] = [];
  const learnersNext: MemberId[] = [];
  const members: Member[] = [];
  for (let i = 0; i < count; i++) {
    const flags = reader.u8();
    const id = reader.text(reader.u8());
    const incarnation = (flags & flagIncarnation) === 0 ? null : reader.text(reader.u8());
    const context = reader.text(reader.u16());
    if (reader.failed || !areSoundFlags(flags)) return null;
    if (flags & flagVoter) voters.push(id);
    if (flags & flagOutgoing) outgoing.push(id);
    if (flags & flagLearner) learners.push(id);
    if (flags & flagLearnerNext) learnersNext.push(id);
    members.push({ id, incarnation, context });
  }
  const sorted = members.every((member, i) => i === 0 || (members[i - 1]?.id ?? '') < member.id);
  if (reader.failed || !reader.atEnd || !sorted || memberProblem(members) !== null) return null;
  return { index, voters, outgoing, learners, learnersNext, members };
}

/** A member has a part; learners are in no half; only an outgoing voter becomes a learner next, and is not incoming then. */
function areSoundFlags(flags: number): boolean {
  const halves = flags & (flagVoter | flagOutgoing);
  if (flags >= 2 * flagIncarnation) return false;
  if (flags & flagLearner) return halves === 0 && (flags & flagLearnerNext) === 0;
  if (flags & flagLearnerNext) return halves === flagOutgoing;
  return halves !== 0;
}

/** Reads little-endian fields; once anything is missing or malformed, `failed` stays set and reads give zeros. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    const value = this.#bytes[this.#at];
    this.#at += 1;
    if (value === undefined) this.failed = true;
    return value ?? 0;
  }

  u16(): number {
    return this.u8() | (this.u8() << 8);
  }

  text(length: number): string {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      this.failed = true;
      return '';
    }
    const slice = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(slice);
    } catch {
      this.failed = true;
      return '';
    }
  }
}
