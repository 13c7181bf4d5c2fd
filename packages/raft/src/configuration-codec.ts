/**
 * The bytes in which an entry carries a configuration. Format 2 while version 1 of the protocol is in use, so that every server reads it;
 * from version 2 on format 3, which says which. Little-endian:
 *
 *   u8 format · format 3: u8 protocol version · u32 configuration version · u8 a change is under way · u16 member count · for each member, sorted by id: u8 flags,
 *   u8 length + id, [u8 length + incarnation], [u8 length + successor], u16 length + context · u16 count of former lives · for each:
 *   u8 length + id, u8 length + incarnation.
 *
 * Flags: voter 1, outgoing 2, learner 4, learnerNext 8, incarnation present 16, voter of the target 32, leaving 64, successor
 * present 128.
 */
import { maxFormer, memberProblem } from './configuration.ts';
import { invariant } from './invariant.ts';
import type { Configuration, Index, Life, Member, MemberId, Target, Version } from './types.ts';

const formatOfVersion1 = 2;
const format = 3;
const flagVoter = 1;
const flagOutgoing = 2;
const flagLearner = 4;
const flagLearnerNext = 8;
const flagIncarnation = 16;
const flagTarget = 32;
const flagLeaving = 64;
const flagSuccessor = 128;
const utf8 = new TextEncoder();

/** Bytes for an entry's `data`. `index` is not part of them: it is the entry's own. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const { version, protocol, members, target, former } = configuration;
  const bytes: number[] = protocol === 1 ? [formatOfVersion1] : [format, protocol];
  pushU16(bytes, version & 0xffff);
  pushU16(bytes, version >>> 16);
  bytes.push(target === null ? 0 : 1);
  pushU16(bytes, members.length);
  for (const member of members) {
    const successor = target?.successors.find(({ id }) => id === member.id) ?? null;
    bytes.push(memberFlags(configuration, member, successor));
    pushShort(bytes, member.id);
    if (member.incarnation !== null) pushShort(bytes, member.incarnation);
    if (successor !== null) pushShort(bytes, successor.incarnation);
    const context = utf8.encode(member.context);
    pushU16(bytes, context.length);
    bytes.push(...context);
  }
  pushU16(bytes, former.length);
  for (const { id, incarnation } of former) {
    pushShort(bytes, id);
    pushShort(bytes, incarnation);
  }
  return Uint8Array.from(bytes);
}

function memberFlags(configuration: Configuration, { id, incarnation }: Member, successor: Life | null): number {
  const { voters, outgoing, learners, learnersNext, target } = configuration;
  const part =
    (voters.includes(id) ? flagVoter : 0) |
    (outgoing.includes(id) ? flagOutgoing : 0) |
    (learners.includes(id) ? flagLearner : 0) |
    (learnersNext.includes(id) ? flagLearnerNext : 0);
  invariant(part !== 0, () => `member ${id} of a configuration has no part in it`);
  return (
    part |
    (incarnation === null ? 0 : flagIncarnation) |
    (target?.voters.includes(id) === true ? flagTarget : 0) |
    (target?.leaving.includes(id) === true ? flagLeaving : 0) |
    (successor === null ? 0 : flagSuccessor)
  );
}

function pushU16(bytes: number[], value: number): void {
  bytes.push(value & 0xff, (value >>> 8) & 0xff);
}

function pushShort(bytes: number[], text: string): void {
  const encoded = utf8.encode(text);
  bytes.push(encoded.length, ...encoded);
}

/** Decodes what `encodeConfiguration` made; null if the bytes are not a well-formed configuration. */
export function decodeConfiguration(data: Uint8Array, index: Index): Configuration | null {
  const reader = new Reader(data);
  const protocol = readProtocol(reader);
  if (protocol === null) return null;
  const version = reader.u16() + reader.u16() * 0x10000;
  const isChanging = reader.u8();
  const parts = readMembers(reader);
  const former = readFormer(reader);
  if (parts === null || former === null || isChanging > 1 || !reader.atEnd) return null;
  const { target, ...rest } = parts;
  const hasTarget = target.voters.length + target.leaving.length + target.successors.length > 0;
  // A change ends with voters; without one under way no member has a part in it.
  if (isChanging === 1 ? target.voters.length === 0 : hasTarget) return null;
  return { index, version, protocol, ...rest, target: isChanging === 1 ? target : null, former };
}

function readProtocol(reader: Reader): Version | null {
  const found = reader.u8();
  if (found === formatOfVersion1) return 1;
  const protocol = reader.u8();
  // There is one way to write a configuration.
  return found === format && protocol > 1 ? protocol : null;
}

interface Parts extends Pick<Configuration, 'voters' | 'outgoing' | 'learners' | 'learnersNext' | 'members'> {
  readonly target: Target;
}

function readMembers(reader: Reader): Parts | null {
  const count = reader.u16();
  const voters: MemberId[] = [];
  const outgoing: MemberId[] = [];
  const learners: MemberId[] = [];
  const learnersNext: MemberId[] = [];
  const members: Member[] = [];
  const target = { voters: [] as MemberId[], leaving: [] as MemberId[], successors: [] as Life[] };
  for (let i = 0; i < count; i++) {
    const flags = reader.u8();
    const id = reader.text(reader.u8());
    const incarnation = (flags & flagIncarnation) === 0 ? null : reader.text(reader.u8());
    if (flags & flagSuccessor) target.successors.push({ id, incarnation: reader.text(reader.u8()) });
    const context = reader.text(reader.u16());
    if (reader.failed || !areSoundFlags(flags)) return null;
    if (flags & flagVoter) voters.push(id);
    if (flags & flagOutgoing) outgoing.push(id);
    if (flags & flagLearner) learners.push(id);
    if (flags & flagLearnerNext) learnersNext.push(id);
    if (flags & flagTarget) target.voters.push(id);
    if (flags & flagLeaving) target.leaving.push(id);
    members.push({ id, incarnation, context });
  }
  const sorted = members.every((member, i) => i === 0 || (members[i - 1]?.id ?? '') < member.id);
  if (reader.failed || !sorted || memberProblem(members) !== null) return null;
  return { voters, outgoing, learners, learnersNext, members, target };
}

/**
 * A member has a part; learners are in no half; only an outgoing voter becomes a learner next, and is not incoming then; who leaves
 * votes still, and is no voter of the target; a successor follows an earlier life of a voter.
 */
function areSoundFlags(flags: number): boolean {
  const halves = flags & (flagVoter | flagOutgoing);
  if (flags & flagLeaving && (flags & flagTarget || halves === 0)) return false;
  if (flags & flagSuccessor && ((flags & flagIncarnation) === 0 || halves === 0)) return false;
  if (flags & flagLearner) return halves === 0 && (flags & flagLearnerNext) === 0;
  if (flags & flagLearnerNext) return halves === flagOutgoing;
  return halves !== 0;
}

function readFormer(reader: Reader): readonly Life[] | null {
  const count = reader.u16();
  if (count > maxFormer) return null;
  const former: Life[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    former.push({ id: reader.text(reader.u8()), incarnation: reader.text(reader.u8()) });
  }
  return reader.failed ? null : former;
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
