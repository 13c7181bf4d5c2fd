/** JSON as etcdctl writes it: snake_case names, bytes in base64, 64-bit ids as exact numbers, zero values left out. */

/** What the API's messages are made of. */
type Plain = string | number | bigint | boolean | Uint8Array | undefined | readonly unknown[] | object;

export function toJson(message: object): string {
  return write(message) ?? '{}';
}

/** Null when the value is its type's zero, which etcd's JSON leaves out. */
function write(value: Plain): string | null {
  if (value === undefined || value === '' || value === 0 || value === 0n || value === false) return null;
  if (typeof value === 'bigint') return BigInt.asUintN(64, value).toString();
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return JSON.stringify(value);
  if (value instanceof Uint8Array) return value.length === 0 ? null : JSON.stringify(Buffer.from(value).toString('base64'));
  if (Array.isArray(value)) return value.length === 0 ? null : `[${value.map((each: Plain) => write(each) ?? zero(each)).join(',')}]`;
  return writeObject(value);
}

function writeObject(value: object): string {
  const fields = Object.entries(value).flatMap(([name, field]: [string, Plain]) => {
    const oneof = asOneof(field);
    const [key, content] = oneof ?? [name, field];
    const text = content === undefined ? null : write(content);
    return text === null ? [] : [`${JSON.stringify(snakeCase(key))}:${text}`];
  });
  return `{${fields.join(',')}}`;
}

/** A member of a list is written even when it is zero. */
function zero(value: Plain): string {
  return typeof value === 'object' && !(value instanceof Uint8Array) ? '{}' : value instanceof Uint8Array ? '""' : String(value);
}

/** A oneof is `{ case, value }` in memory and the chosen field itself in JSON. */
function asOneof(field: Plain): readonly [string, Plain] | null {
  if (typeof field !== 'object' || !('case' in field)) return null;
  const { case: name, value } = field as { readonly case: string | undefined; readonly value?: Plain };
  return name === undefined ? ['', undefined] : [name, value];
}

function snakeCase(name: string): string {
  return /^[A-Z]+$/.test(name) ? name : name.replace(/[A-Z]+/g, (capitals) => `_${capitals.toLowerCase()}`);
}
