import { DeleteRangeRequest, PutRequest, RangeRequest, SortOrder, SortTarget } from '@quorate/kv/api';
import { UsageError } from '../usage-error.ts';

/** The flags of `get`, as they were typed. */
export interface GetFlags {
  readonly prefix?: boolean;
  readonly fromKey?: boolean;
  readonly limit?: string;
  readonly rev?: string;
  readonly order?: string;
  readonly sortBy?: string;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly consistency?: string;
}

export interface PutFlags {
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
  readonly lease?: string;
}

export interface DeleteFlags {
  readonly prefix?: boolean;
  readonly fromKey?: boolean;
  readonly prevKv?: boolean;
}

const ZERO = Uint8Array.of(0);
const NOTHING = new Uint8Array(0);

const TARGETS: Readonly<Record<string, SortTarget>> = {
  KEY: SortTarget.KEY,
  VERSION: SortTarget.VERSION,
  CREATE: SortTarget.CREATE,
  MODIFY: SortTarget.MOD,
  VALUE: SortTarget.VALUE,
};
const ORDERS: Readonly<Record<string, SortOrder>> = { ASCEND: SortOrder.ASCEND, DESCEND: SortOrder.DESCEND };

export function rangeRequest(positional: readonly string[], flags: GetFlags): RangeRequest {
  const { key, rangeEnd } = keyRange('get', positional, flags);
  if (flags.keysOnly === true && flags.countOnly === true) {
    throw new UsageError('--keys-only and --count-only exclude each other. Give one of them.');
  }
  return RangeRequest.create({
    key,
    rangeEnd,
    limit: wholeNumber('--limit', flags.limit ?? '0'),
    revision: wholeNumber('--rev', flags.rev ?? '0'),
    ...sorting(flags),
    keysOnly: flags.keysOnly === true,
    countOnly: flags.countOnly === true,
    serializable: isSerializable(flags.consistency ?? 'l'),
  });
}

export function putRequest(positional: readonly string[], flags: PutFlags): PutRequest {
  const [key, value, ...rest] = positional;
  if (key === undefined || key === '' || rest.length > 0) throw new UsageError('put needs a key and a value: quorate put KEY VALUE.');
  if (flags.ignoreValue === true && value !== undefined) {
    throw new UsageError('--ignore-value keeps the present value, so no value may be given.');
  }
  if (value === undefined && flags.ignoreValue !== true) throw new UsageError('put needs a value: quorate put KEY VALUE.');
  if (flags.ignoreLease === true && flags.lease !== undefined) throw new UsageError('--ignore-lease and --lease exclude each other. Give one of them.');
  return PutRequest.create({
    key: utf8(key),
    value: value === undefined ? NOTHING : utf8(value),
    lease: leaseId(flags.lease ?? '0'),
    prevKv: flags.prevKv === true,
    ignoreValue: flags.ignoreValue === true,
    ignoreLease: flags.ignoreLease === true,
  });
}

export function deleteRequest(positional: readonly string[], flags: DeleteFlags): DeleteRangeRequest {
  return DeleteRangeRequest.create({ ...keyRange('del', positional, flags), prevKv: flags.prevKv === true });
}

/** The key after the last one that begins with `prefix`; a zero byte, meaning "to the end", when there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return ZERO;
  const end = prefix.slice(0, length);
  end[length - 1] = (end[length - 1] ?? 0) + 1;
  return end;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function keyRange(
  command: string,
  positional: readonly string[],
  flags: { readonly prefix?: boolean; readonly fromKey?: boolean },
): { key: Uint8Array; rangeEnd: Uint8Array } {
  const [key, end, ...rest] = positional;
  if (key === undefined || rest.length > 0) throw new UsageError(`${command} needs a key, and at most the end of a range: quorate ${command} KEY [RANGE_END].`);
  if (flags.prefix === true && flags.fromKey === true) throw new UsageError('--prefix and --from-key exclude each other. Give one of them.');
  if (end !== undefined && (flags.prefix === true || flags.fromKey === true)) {
    throw new UsageError('--prefix and --from-key name a range by themselves. Leave out RANGE_END.');
  }
  if (flags.prefix === true) return key === '' ? { key: ZERO, rangeEnd: ZERO } : { key: utf8(key), rangeEnd: prefixEnd(utf8(key)) };
  if (flags.fromKey === true) return { key: key === '' ? ZERO : utf8(key), rangeEnd: ZERO };
  if (key === '') throw new UsageError(`${command} needs a key that is not empty; --prefix "" means every key.`);
  return { key: utf8(key), rangeEnd: end === undefined ? NOTHING : utf8(end) };
}

/** As etcdctl: an order alone sorts by key, a target alone sorts ascending; by key ascending is what comes anyway. */
function sorting(flags: GetFlags): { sortOrder: SortOrder; sortTarget: SortTarget } {
  const order = flags.order?.toUpperCase();
  const target = flags.sortBy?.toUpperCase();
  const sortTarget = target === undefined ? SortTarget.KEY : TARGETS[target];
  if (sortTarget === undefined) throw new UsageError(`--sort-by is "${flags.sortBy}"; it takes ${Object.keys(TARGETS).join(', ')}.`);
  if (order === undefined) return { sortOrder: target === undefined ? SortOrder.NONE : SortOrder.ASCEND, sortTarget };
  const sortOrder = ORDERS[order];
  if (sortOrder === undefined) throw new UsageError(`--order is "${flags.order}"; it takes ${Object.keys(ORDERS).join(', ')}.`);
  return { sortOrder, sortTarget };
}

function isSerializable(consistency: string): boolean {
  if (consistency === 'l') return false;
  if (consistency === 's') return true;
  throw new UsageError(`--consistency is "${consistency}"; it takes l (linearizable) or s (serializable).`);
}

export function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new UsageError(`${flag} is "${text}"; it takes a whole number, 0 or more.`);
  }
  return value;
}

/** Lease ids are written in hexadecimal, as etcdctl does. */
function leaseId(text: string): bigint {
  if (!/^[0-9a-f]{1,16}$/i.test(text)) throw new UsageError(`--lease is "${text}"; it takes a lease id in hexadecimal.`);
  return BigInt.asIntN(64, BigInt(`0x${text}`));
}
