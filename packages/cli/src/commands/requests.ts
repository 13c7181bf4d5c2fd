import type { DeleteOptions, GetOptions, PutOptions, RangeOptions, SortBy } from '@quorate/client';
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

/** What to call the client with. */
export interface GetCall {
  readonly key: string;
  readonly options: GetOptions;
}
export interface PutCall {
  readonly key: string;
  readonly value: string;
  readonly options: PutOptions;
}
export interface DeleteCall {
  readonly key: string;
  readonly options: DeleteOptions;
}

const SORT_FIELDS: Readonly<Record<string, SortBy>> = {
  KEY: 'key',
  VERSION: 'version',
  CREATE: 'createRevision',
  MODIFY: 'modRevision',
  VALUE: 'value',
};
const ORDERS: Readonly<Record<string, 'ascending' | 'descending'>> = { ASCEND: 'ascending', DESCEND: 'descending' };

export function getCall(positional: readonly string[], flags: GetFlags): GetCall {
  const { key, range } = keyRange('get', positional, flags);
  if (flags.keysOnly === true && flags.countOnly === true) {
    throw new UsageError('--keys-only and --count-only exclude each other. Give one of them.');
  }
  const sort = sorting(flags);
  return {
    key,
    options: {
      ...range,
      ...(sort === null ? {} : { sort }),
      limit: wholeNumber('--limit', flags.limit ?? '0'),
      revision: wholeNumber('--rev', flags.rev ?? '0'),
      keysOnly: flags.keysOnly === true,
      countOnly: flags.countOnly === true,
      serializable: isSerializable(flags.consistency ?? 'l'),
    },
  };
}

export function putCall(positional: readonly string[], flags: PutFlags): PutCall {
  const [key, value, ...rest] = positional;
  if (key === undefined || key === '' || rest.length > 0) {
    throw new UsageError('put needs a key that is not empty, and a value: quorate put KEY VALUE.');
  }
  if (flags.ignoreValue === true && value !== undefined) {
    throw new UsageError('--ignore-value keeps the present value, so no value may be given.');
  }
  if (flags.ignoreValue !== true && value === undefined) {
    throw new UsageError('put needs a value: quorate put KEY VALUE.');
  }
  if (flags.ignoreLease === true && flags.lease !== undefined) {
    throw new UsageError('--ignore-lease and --lease exclude each other. Give one of them.');
  }
  return {
    key,
    value: value ?? '',
    options: {
      previous: flags.prevKv === true,
      lease: leaseId(flags.lease ?? '0'),
      ignoreValue: flags.ignoreValue === true,
      ignoreLease: flags.ignoreLease === true,
    },
  };
}

export function deleteCall(positional: readonly string[], flags: DeleteFlags): DeleteCall {
  const { key, range } = keyRange('del', positional, flags);
  return { key, options: { ...range, previous: flags.prevKv === true } };
}

function keyRange(
  command: string,
  positional: readonly string[],
  flags: { readonly prefix?: boolean; readonly fromKey?: boolean },
): { readonly key: string; readonly range: RangeOptions } {
  const [key, rangeEnd, ...rest] = positional;
  if (key === undefined || rest.length > 0) {
    throw new UsageError(`${command} needs a key, and at most the end of a range: quorate ${command} KEY [RANGE_END].`);
  }
  if (flags.prefix === true && flags.fromKey === true) {
    throw new UsageError('--prefix and --from-key exclude each other. Give one of them.');
  }
  if (rangeEnd !== undefined && (flags.prefix === true || flags.fromKey === true)) {
    throw new UsageError('--prefix and --from-key name a range by themselves. Leave out RANGE_END.');
  }
  if (flags.prefix === true) return { key, range: { prefix: true } };
  if (flags.fromKey === true) return { key, range: { fromKey: true } };
  if (key === '') throw new UsageError(`${command} needs a key that is not empty; --prefix "" means every key.`);
  return { key, range: rangeEnd === undefined ? {} : { rangeEnd } };
}

/** As etcdctl: an order alone sorts by key, a field alone sorts ascending. */
function sorting(flags: GetFlags): NonNullable<GetOptions['sort']> | null {
  if (flags.order === undefined && flags.sortBy === undefined) return null;
  const by = SORT_FIELDS[flags.sortBy?.toUpperCase() ?? 'KEY'];
  if (by === undefined) {
    throw new UsageError(`--sort-by is "${flags.sortBy}"; it takes ${Object.keys(SORT_FIELDS).join(', ')}.`);
  }
  const order = ORDERS[flags.order?.toUpperCase() ?? 'ASCEND'];
  if (order === undefined)
    throw new UsageError(`--order is "${flags.order}"; it takes ${Object.keys(ORDERS).join(', ')}.`);
  return { by, order };
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
  if (!/^[0-9a-f]{1,16}$/i.test(text))
    throw new UsageError(`--lease is "${text}"; it takes a lease id in hexadecimal.`);
  return BigInt.asIntN(64, BigInt(`0x${text}`));
}
