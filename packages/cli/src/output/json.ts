/**
 * JSON as etcdctl writes it: bytes in base64, 64-bit ids as exact numbers, zero values left out.
 * Undefined values are left out; of lists, every member is written.
 */
export function toJson(value: object): string {
  return write(value);
}

function write(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value === 'object' && value !== null) return writeObject(value);
  return JSON.stringify(value);
}

function writeObject(value: object): string {
  const fields = Object.entries(value).filter(([, field]) => !isZero(field));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${write(field)}`).join(',')}}`;
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === 0n || value === false) return true;
  return (Array.isArray(value) || value instanceof Uint8Array) && value.length === 0;
}
