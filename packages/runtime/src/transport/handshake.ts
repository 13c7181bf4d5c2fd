/** The first frames of a connection: who I am, whom I take you for, and whether we fit together. */
import type { Incarnation, MemberId, Micros, Term, Version } from '@quorate/raft';
import type { ByteReader } from '../codec/byte-reader.ts';
import type { ByteWriter } from '../codec/byte-writer.ts';
import type { TransportContext } from './context.ts';
import { FrameParser } from '../codec/frame.ts';
import { FrameKind, magic, Purpose, supportedFeatures } from './protocol.ts';

const maxIdBytes = 256;
const maxAddressBytes = 1024;
const maxReasonBytes = 2048;
const maxHelloBytes = 4096;

/** Whose node this is, as storage keeps it. */
export interface LocalIdentity {
  readonly clusterId: string;
  readonly group: number;
  readonly member: MemberId;
  readonly incarnation: Incarnation;
}

/** On what all servers must agree while leases are used: a leader relies on how long the others protect it. */
export interface LeaseTerms {
  readonly leaseReads: boolean;
  /** Microseconds. */
  readonly electionTimeoutMin: Micros;
}

/** Versions of the protocol, from the oldest to the newest. */
export interface VersionRange {
  readonly min: Version;
  readonly max: Version;
}

/** Sent by the side that connects. */
export interface Hello {
  /** What the sender speaks, from the version in use of its cluster on: what is in use cannot be left any more. */
  readonly versions: VersionRange;
  readonly features: number;
  readonly purpose: Purpose;
  readonly clusterId: string;
  readonly group: number;
  readonly from: MemberId;
  /** Whom the connecting side takes the other for. */
  readonly to: MemberId;
  readonly incarnation: Incarnation;
  readonly term: Term;
  /** Where the asker is reached, so that a server that waits to be let in can answer it; empty if that is not told. */
  readonly address: string;
  /** Null from a server that knows no leases, and so grants none. */
  readonly leases: LeaseTerms | null;
}

/** The answer that opens the connection. */
export interface Welcome {
  readonly version: number;
  readonly features: number;
  readonly incarnation: Incarnation;
  /** The answering server's durable term; 0 if it has never run. */
  readonly term: Term;
  /** The incarnation that its configuration binds the asker to, or else the first one that it was told of; null if none. */
  readonly bound: Incarnation | null;
  /** What the answering server speaks, from the version in use on. */
  readonly versions: VersionRange;
}

export type RefusalCode = 'version' | 'cluster' | 'group' | 'member' | 'starting' | 'busy' | 'removed' | 'leases';

/** The answer that closes it. The reason is printed by both sides. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly reason: string;
}

const refusalNumbers: Readonly<Record<RefusalCode, number>> = {
  version: 1,
  cluster: 2,
  group: 3,
  member: 4,
  starting: 5,
  busy: 6,
  removed: 7,
  leases: 8,
};
const refusalCodes: readonly RefusalCode[] = [
  'version',
  'cluster',
  'group',
  'member',
  'starting',
  'busy',
  'removed',
  'leases',
];

type Handshaking = Pick<TransportContext, 'identity' | 'leases' | 'versions'>;

export function helloFrom(
  { identity, leases, versions }: Handshaking,
  to: MemberId,
  purpose: Purpose,
  term: Term,
  address = '',
): Hello {
  return {
    versions: versions(),
    features: supportedFeatures,
    purpose,
    clusterId: identity.clusterId,
    group: identity.group,
    from: identity.member,
    to,
    incarnation: identity.incarnation,
    term,
    address,
    leases,
  };
}

/** Whether the asker may connect: null, or why not. */
export function judgeHello({ identity, leases, versions }: Handshaking, hello: Hello): Refusal | null {
  const [ours, theirs] = [versions(), hello.versions];
  if (theirs.max < ours.min || theirs.min > ours.max) {
    return refusal(
      'version',
      `Server ${hello.from} speaks versions ${theirs.min} to ${theirs.max} of the peer protocol, server ${identity.member} ` +
        `${ours.min} to ${ours.max} (what a cluster has left behind does not count). Upgrade the older one, one release at a time.`,
    );
  }
  if (hello.clusterId !== identity.clusterId) {
    return refusal(
      'cluster',
      `Server ${hello.from} belongs to cluster ${hello.clusterId}, server ${identity.member} to cluster ` +
        `${identity.clusterId}. Check the peer addresses and the cluster's name on both.`,
    );
  }
  if (hello.group !== identity.group) {
    return refusal('group', `Server ${identity.member} hosts group ${identity.group}, not group ${hello.group}.`);
  }
  if (hello.from === identity.member) {
    return refusal(
      'member',
      `Another server calls itself ${identity.member}. Two servers must never share an identity: stop one of them.`,
    );
  }
  if (hello.to !== identity.member) {
    return refusal(
      'member',
      `Server ${hello.from} looked for member ${hello.to} at the address of member ${identity.member}. ` +
        'Check the peer addresses.',
    );
  }
  return judgeLeases(identity.member, leases, hello);
}

function judgeLeases(self: MemberId, ours: LeaseTerms, hello: Hello): Refusal | null {
  const theirs = hello.leases ?? { leaseReads: false, electionTimeoutMin: 0 };
  if (theirs.leaseReads !== ours.leaseReads) {
    const say = (isOn: boolean): string => (isOn ? 'on' : 'off');
    return refusal(
      'leases',
      `Server ${hello.from} has lease reads ${say(theirs.leaseReads)}, server ${self} has them ${say(ours.leaseReads)}. A lease ` +
        'holds only where every server grants it: give all the same leaseReads (--lease-reads).',
    );
  }
  if (!ours.leaseReads || theirs.electionTimeoutMin === ours.electionTimeoutMin) return null;
  return refusal(
    'leases',
    `Server ${hello.from} protects a leader for ${theirs.electionTimeoutMin} µs (electionTimeoutMin), server ${self} for ` +
      `${ours.electionTimeoutMin} µs, and lease reads are on. Give all the same electionTimeoutMin (--election-timeout).`,
  );
}

function refusal(code: RefusalCode, reason: string): Refusal {
  return { code, reason };
}

/** The version and features that a connection uses. Call it only for a hello that was not refused. */
export function agree(
  { versions }: Handshaking,
  hello: Hello,
): { readonly version: Version; readonly features: number } {
  return { version: Math.min(hello.versions.max, versions().max), features: hello.features & supportedFeatures };
}

export function writeHello(writer: ByteWriter, hello: Hello): void {
  writer.u32(magic);
  writer.varint(hello.versions.min);
  writer.varint(hello.versions.max);
  writer.u32(hello.features);
  writer.u8(hello.purpose);
  writer.string(hello.clusterId);
  writer.varint(hello.group);
  writer.string(hello.from);
  writer.string(hello.to);
  writer.string(hello.incarnation);
  writer.varint(hello.term);
  writer.string(hello.address);
  if (hello.leases === null) return;
  writer.bool(hello.leases.leaseReads);
  writer.varint(hello.leases.electionTimeoutMin);
}

/** Fields added by later versions may follow; they are ignored here. */
export function readHello(reader: ByteReader): Hello | null {
  if (reader.u32() !== magic) return null;
  const hello = {
    versions: { min: reader.varint(), max: reader.varint() },
    features: reader.u32(),
    purpose: reader.u8(),
    clusterId: reader.string(maxIdBytes),
    group: reader.varint(),
    from: reader.string(maxIdBytes),
    to: reader.string(maxIdBytes),
    incarnation: reader.string(maxIdBytes),
    term: reader.varint(),
    address: reader.string(maxAddressBytes),
    leases: reader.remaining > 0 ? { leaseReads: reader.bool(), electionTimeoutMin: reader.varint() } : null,
  };
  if (reader.failed || hello.from === '') return null;
  const purpose = hello.purpose;
  return isPurpose(purpose) ? { ...hello, purpose } : null;
}

function isPurpose(value: number): value is Purpose {
  return Object.values<number>(Purpose).includes(value);
}

export function writeWelcome(writer: ByteWriter, welcome: Welcome): void {
  writer.varint(welcome.version);
  writer.u32(welcome.features);
  writer.string(welcome.incarnation);
  writer.varint(welcome.term);
  writer.bool(welcome.bound !== null);
  writer.string(welcome.bound ?? '');
  writer.varint(welcome.versions.min);
  writer.varint(welcome.versions.max);
}

export function readWelcome(reader: ByteReader): Welcome | null {
  const version = reader.varint();
  const features = reader.u32();
  const incarnation = reader.string(maxIdBytes);
  const term = reader.varint();
  const isBound = reader.bool();
  const bound = reader.string(maxIdBytes);
  const versions = { min: reader.varint(), max: reader.varint() };
  if (reader.failed) return null;
  return { version, features, incarnation, term, bound: isBound ? bound : null, versions };
}

export function writeRefusal(writer: ByteWriter, value: Refusal): void {
  writer.u8(refusalNumbers[value.code]);
  writer.string(value.reason);
}

export function readRefusal(reader: ByteReader): Refusal | null {
  const code = refusalCodes[reader.u8() - 1];
  const reason = reader.string(maxReasonBytes);
  return reader.failed || code === undefined ? null : { code, reason };
}

/** Whom the first bytes of an incoming connection come from; null while they hold no whole hello. For fault injection. */
export function senderOfHello(firstBytes: Uint8Array): MemberId | null {
  let sender: MemberId | null = null;
  const parser = new FrameParser(maxHelloBytes, (reader) => {
    if (reader.u8() === FrameKind.hello) sender ??= readHello(reader)?.from ?? null;
    return null;
  });
  parser.push(firstBytes);
  return sender;
}
