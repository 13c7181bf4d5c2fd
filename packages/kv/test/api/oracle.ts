import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import * as api from '@quorate/kv/api';
import type { MessageType } from '@quorate/kv/api';

/** Any message, seen without its type. */
export type AnyMessage = Record<string, unknown>;

export interface Subject {
  readonly name: string;
  readonly ours: MessageType<AnyMessage>;
  readonly theirs: protobuf.Type;
  /** Messages of this type as our codec shows them. */
  readonly arbitrary: fc.Arbitrary<AnyMessage>;
}

const PROTO_ROOT = fileURLToPath(new URL('../../proto', import.meta.url));
const MAX_DEPTH = 4;

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(PROTO_ROOT, target);
root.loadSync(
  [
    ...['kv', 'watch', 'lease', 'cluster', 'maintenance', 'auth'].map((name) => `etcdserverpb/${name}.proto`),
    'quorate/membership.proto',
  ],
  { keepCase: true },
);
root.resolveAll();

/** Every message type that the .proto files define, with protobufjs as the second opinion. */
export const subjects: readonly Subject[] = allTypes(root).map((theirs) => ({
  name: theirs.name,
  ours: messageTypeNamed(theirs.name),
  theirs,
  arbitrary: messageArbitrary(theirs, MAX_DEPTH),
}));

/** What protobufjs makes of a message of ours. */
export function encodeByOracle({ theirs }: Subject, message: AnyMessage): Uint8Array {
  return theirs.encode(toTheirs(theirs, message)).finish();
}

function allTypes(namespace: protobuf.NamespaceBase): protobuf.Type[] {
  return namespace.nestedArray.flatMap((nested) => {
    const inner = nested instanceof protobuf.Namespace ? allTypes(nested) : [];
    return nested instanceof protobuf.Type ? [nested, ...inner] : inner;
  });
}

function messageTypeNamed(name: string): MessageType<AnyMessage> {
  const found = (api as unknown as Record<string, MessageType<AnyMessage> | undefined>)[name];
  if (found === undefined) throw new Error(`@quorate/kv/api has no ${name}`);
  return found;
}

// --- random messages -------------------------------------------------------------------------------------------------------

function messageArbitrary(type: protobuf.Type, depth: number): fc.Arbitrary<AnyMessage> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of type.fieldsArray) {
    if (field.partOf === null || field.partOf === undefined) members[camel(field.name)] = fieldArbitrary(field, depth);
  }
  for (const oneof of type.oneofsArray) members[camel(oneof.name)] = oneofArbitrary(oneof, depth);
  return fc.record(members);
}

function oneofArbitrary(oneof: protobuf.OneOf, depth: number): fc.Arbitrary<unknown> {
  const unset = fc.constant({ case: undefined, value: undefined });
  const cases = oneof.fieldsArray
    .filter((field) => depth > 0 || !(field.resolvedType instanceof protobuf.Type))
    .map((field) => valueArbitrary(field, depth).map((value) => ({ case: camel(field.name), value })));
  return fc.oneof(unset, ...cases);
}

function fieldArbitrary(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const message = field.resolvedType instanceof protobuf.Type;
  if (message && depth === 0) return fc.constant(field.repeated ? [] : undefined);
  const value = valueArbitrary(field, depth);
  if (field.repeated) return fc.array(value, { maxLength: 4 });
  return message ? fc.option(value, { nil: undefined }) : value;
}

function valueArbitrary(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  if (field.resolvedType instanceof protobuf.Type) return messageArbitrary(field.resolvedType, depth - 1);
  if (field.resolvedType instanceof protobuf.Enum) {
    // Numbers that the enum does not know must survive as well.
    return fc.oneof(fc.constantFrom(...Object.values(field.resolvedType.values)), fc.integer());
  }
  switch (field.type) {
    case 'bytes':
      return fc.uint8Array({ maxLength: 200 });
    case 'string':
      return fc.string({ unit: 'binary', maxLength: 60 });
    case 'bool':
      return fc.boolean();
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffff_ffff });
    default:
      return field.type === 'uint64' ? unsigned(field) : signed(field);
  }
}

function signed(field: protobuf.Field): fc.Arbitrary<unknown> {
  if (isExact(field)) return fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  return fc.oneof(fc.integer(), fc.maxSafeInteger());
}

function unsigned(field: protobuf.Field): fc.Arbitrary<unknown> {
  if (isExact(field)) return fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  return fc.oneof(fc.nat(), fc.maxSafeNat());
}

/** The type that our codec gives the field, learnt from an empty message. */
function isExact(field: protobuf.Field): boolean {
  const parent = field.parent as protobuf.Type;
  if (field.partOf !== null && field.partOf !== undefined) return field.name === 'lease';
  return typeof messageTypeNamed(parent.name).create()[camel(field.name)] === 'bigint';
}

// --- ours to theirs --------------------------------------------------------------------------------------------------------

function toTheirs(type: protobuf.Type, message: AnyMessage): protobuf.Message {
  const plain: AnyMessage = {};
  for (const field of type.fieldsArray) {
    const value = valueOf(field, message);
    if (value === undefined) continue;
    plain[field.name] = field.repeated
      ? (value as unknown[]).map((each) => toTheirValue(field, each))
      : toTheirValue(field, value);
  }
  return type.create(plain);
}

/** The value that must be on the wire, or undefined. */
function valueOf(field: protobuf.Field, message: AnyMessage): unknown {
  if (field.partOf !== null && field.partOf !== undefined) {
    const union = message[camel(field.partOf.name)] as { case?: string; value?: unknown };
    return union.case === camel(field.name) ? union.value : undefined;
  }
  const value = message[camel(field.name)];
  const zero = value === 0 || value === 0n || value === false || value === '';
  return zero || (value instanceof Uint8Array && value.length === 0) ? undefined : value;
}

function toTheirValue(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) return toTheirs(field.resolvedType, value as AnyMessage);
  if (field.type !== 'int64' && field.type !== 'uint64') return value;
  const bits = BigInt(value as bigint | number);
  return { low: Number(BigInt.asIntN(32, bits)), high: Number(BigInt.asIntN(32, bits >> 32n)), unsigned: false };
}

function camel(name: string): string {
  return name.replace(/_([a-zA-Z])/g, (_, letter: string) => letter.toUpperCase());
}
