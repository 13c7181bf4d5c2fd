// Reads proto/ into what the emitter needs: files, messages, fields, each with the TypeScript names and kinds.

import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import protobuf from 'protobufjs';

/**
 * 64-bit fields that are ids: exact, so bigints. All other 64-bit fields are numbers. By the name in the .proto file, or by
 * message and name where the name alone says too little.
 */
const EXACT_FIELDS = new Set([
  'ID',
  'cluster_id',
  'member_id',
  'memberID',
  'targetID',
  'leader_id',
  'lease',
  'watch_id',
  'StatusResponse.leader',
]);

const WIRE_VARINT = 0;
const WIRE_DELIMITED = 2;

export function loadSchema(protoRoot) {
  const paths = readdirSync(protoRoot, { recursive: true })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.proto'))
    .sort();
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(protoRoot, target);
  root.loadSync(paths, { keepCase: true, alternateCommentMode: true, preferTrailingComment: false });
  root.resolveAll();

  const files = paths.map((path) => ({
    proto: path,
    output: path.replace(/\.proto$/, '.ts'),
    messages: [],
    enums: [],
    services: [],
  }));
  const byPath = new Map(files.map((file) => [file.proto, file]));
  const home = new Map(); // TypeScript name → file
  visit(root, (object) => {
    const file = byPath.get(
      relative(protoRoot, object.filename ?? '')
        .split(sep)
        .join('/'),
    );
    if (file === undefined) return;
    const described = describe(object, file);
    if (described === undefined) return;
    if (home.has(described.name)) throw new Error(`two things are called ${described.name}`);
    home.set(described.name, file);
  });
  return { files, home };
}

function visit(object, see) {
  for (const nested of object.nestedArray ?? []) {
    see(nested);
    visit(nested, see);
  }
}

function describe(object, file) {
  if (object instanceof protobuf.Service) {
    file.services.push(describeService(object));
    return undefined;
  }
  if (object instanceof protobuf.Enum) {
    const described = {
      name: enumName(object),
      comment: object.comment,
      values: object.values,
      comments: object.comments,
    };
    file.enums.push(described);
    return described;
  }
  if (object instanceof protobuf.Type) {
    const described = describeMessage(object);
    file.messages.push(described);
    return described;
  }
  return undefined;
}

function describeService(service) {
  return {
    name: service.name,
    fullName: fullName(service),
    methods: service.methodsArray.map((method) => ({
      name: method.name,
      request: method.resolvedRequestType.name,
      response: method.resolvedResponseType.name,
      clientStreaming: method.requestStream === true,
      serverStreaming: method.responseStream === true,
    })),
  };
}

function describeMessage(type) {
  const fields = type.fieldsArray.map(describeField);
  const oneofs = type.oneofsArray.map((oneof) => ({
    name: camelCase(oneof.name),
    comment: oneof.comment,
    fields: fields.filter((field) => field.oneof === oneof.name),
  }));
  // In the order of declaration, a oneof where its first field stands; on the wire by number.
  const members = [];
  for (const field of fields) {
    if (field.oneof === undefined) members.push({ kind: 'field', field, ...pick(field) });
    else {
      const oneof = oneofs.find((each) => each.fields.includes(field));
      if (oneof.fields[0] === field) members.push({ kind: 'oneof', oneof, ...pick(oneof) });
    }
  }
  return { name: type.name, typeName: fullName(type), comment: type.comment, members };
}

const pick = ({ name, comment, number }) => ({ name, comment, number: number ?? 0 });

function describeField(field) {
  const kind = kindOf(field);

  const delimited = ['bytes', 'string', 'message'].includes(kind.kind);
  return {
    name: camelCase(field.name),
    number: field.id,
    comment: field.comment,
    oneof: field.partOf?.name,
    repeated: field.repeated,
    packed: field.repeated && !delimited,
    tag: (field.id << 3) | (delimited ? WIRE_DELIMITED : WIRE_VARINT),
    packedTag: (field.id << 3) | WIRE_DELIMITED,
    ...kind,
  };
}

function kindOf(field) {
  if (field.resolvedType instanceof protobuf.Enum) return { kind: 'enum', type: enumName(field.resolvedType) };
  if (field.resolvedType instanceof protobuf.Type) return { kind: 'message', type: field.resolvedType.name };
  switch (field.type) {
    case 'bytes':
      return { kind: 'bytes', type: 'Uint8Array' };
    case 'string':
      return { kind: 'string', type: 'string' };
    case 'bool':
      return { kind: 'bool', type: 'boolean' };
    case 'uint32':
      return { kind: 'uint32', type: 'number' };
    case 'int64':
    case 'uint64': {
      const exact = EXACT_FIELDS.has(field.name) || EXACT_FIELDS.has(`${field.parent.name}.${field.name}`);
      return exact ? { kind: `${field.type}Exact`, type: 'bigint' } : { kind: field.type, type: 'number' };
    }
    default:
      throw new Error(`${fullName(field)}: no code is generated for fields of type ${field.type} yet`);
  }
}

/** The enum's own name; with its message's in front where the name alone says nothing. */
function enumName(object) {
  return object.name === 'Type' ? `${object.parent.name}${object.name}` : object.name;
}

/** As protobuf's JSON mapping does it: only underscores go, so ID stays ID and peerURLs stays peerURLs. */
function camelCase(name) {
  return name.replace(/_([a-zA-Z0-9])/g, (_, letter) => letter.toUpperCase());
}

function fullName(object) {
  return object.fullName.replace(/^\./, '');
}
