/**
 * Plain data as a list of 32-bit tokens, whatever its fields are: what a search compares states by. Nothing is written by hand for a
 * field; what is left out, what is a set and what counts from somewhere stands in one table, with its reason.
 */
import { decodeConfiguration, EntryKind, type MemberId } from '@quorate/raft';
import { incarnationOf } from './options.ts';

export const token = {
  null: -1,
  true: -2,
  false: -3,
  list: -4,
  listEnd: -5,
  set: -6,
  member: -7,
  setEnd: -8,
  object: -9,
  objectEnd: -10,
  bytes: -11,
  large: -12,
  infinite: -13,
  negative: -14,
} as const;
/** Server number i is the token `firstServer - i`; its incarnation `firstIncarnation - i`. */
export const firstServer = -100;
export const firstIncarnation = -200;

/**
 * - `omit`: no behaviour depends on it.
 * - `set`: the order of its members means nothing.
 * - `batch`: a batch's number; only how far it lies behind the last durable one means anything.
 */
type FieldRole = 'omit' | 'set' | 'batch';

/** By `owner.field`, or by `field` alone wherever it stands. */
const fieldRoles: ReadonlyMap<string, FieldRole> = new Map<string, FieldRole>([
  // Clock values: without a clock they are all 0, and with one two states are the same whenever they are reached.
  ['now', 'omit'],
  ['armedAt', 'omit'],
  ['due', 'omit'],
  ['applyDue', 'omit'],
  ['checkedAt', 'omit'],
  // For reports only.
  ['lastContact', 'omit'],
  // Generations: the armed timer of a server always bears the one that its core waits for.
  ['raft.timers', 'omit'],
  ['generation', 'omit'],
  // Where the cached entries lie in their array; what lies before them is left out as well (`cacheOf`).
  ['cacheHead', 'omit'],
  // Kept in the order of ids, which means nothing, or of arrival, after which nothing asks.
  ['voters', 'set'],
  ['outgoing', 'set'],
  ['learners', 'set'],
  ['learnersNext', 'set'],
  ['members', 'set'],
  ['leaving', 'set'],
  ['successors', 'set'],
  ['progress', 'set'],
  ['votes', 'set'],
  ['seen', 'set'],
  ['lackedBy', 'set'],
  ['held', 'set'],
  // Batches: numbered from 1 at every start, and compared with one another only.
  ['nextBatch', 'batch'],
  ['durableBatch', 'batch'],
  ['termBatch', 'batch'],
  ['oldestBatch', 'batch'],
  ['outstanding.id', 'batch'],
  ['batch.id', 'batch'],
  ['after', 'batch'],
  ['faulty.batch', 'batch'],
]);

/** Numbers below this are tokens themselves; words are from here on. */
const firstWord = 2 ** 30;

export class Encoder {
  readonly #names: ReadonlyMap<string, number>;
  readonly #words = new Map<string, number>();
  #tokens = new Int32Array(1024);
  #length = 0;
  #batchBase = 0;

  constructor(ids: readonly MemberId[]) {
    const names = new Map<string, number>();
    for (const [at, id] of ids.entries()) {
      names.set(id, firstServer - at);
      names.set(incarnationOf(id), firstIncarnation - at);
    }
    this.#names = names;
  }

  /** Throws TypeError for what is not plain data. `batchBase`: the last durable batch of the server that it is. */
  encode(value: unknown, batchBase = 0): Int32Array {
    this.#length = 0;
    this.#batchBase = batchBase;
    this.#write('', value);
    return this.#tokens.slice(0, this.#length);
  }

  #put(value: number): void {
    if (this.#length === this.#tokens.length) {
      const larger = new Int32Array(this.#tokens.length * 2);
      larger.set(this.#tokens);
      this.#tokens = larger;
    }
    this.#tokens[this.#length] = value;
    this.#length += 1;
  }

  #write(owner: string, value: unknown): void {
    if (typeof value === 'number') this.#writeNumber(value);
    else if (typeof value === 'string') this.#writeText(value);
    else if (value === null) this.#put(token.null);
    else if (typeof value === 'boolean') this.#put(value ? token.true : token.false);
    else if (Array.isArray(value)) this.#writeList(owner, value);
    else if (value instanceof Uint8Array) this.#writeBytes(value);
    else if (value instanceof Map) this.#writeSet(owner, [...value]);
    else if (typeof value === 'object') this.#writeObject(owner, value);
    else throw new TypeError(`A ${typeof value} in '${owner}' is not plain data.`);
  }

  #writeNumber(value: number): void {
    if (value >= 0 && value < firstWord && Number.isInteger(value)) {
      this.#put(value);
      return;
    }
    if (value === Number.POSITIVE_INFINITY) this.#put(token.infinite);
    else if (Number.isSafeInteger(value)) {
      const size = Math.abs(value);
      this.#put(value < 0 ? token.negative : token.large);
      this.#put(Math.floor(size / firstWord));
      this.#put(size % firstWord);
    } else throw new TypeError(`${value} is no number that a state may hold.`);
  }

  #writeText(text: string): void {
    this.#put(this.#names.get(text) ?? this.#word(text));
  }

  /** The same for the same word everywhere, in every thread. */
  #word(text: string): number {
    let word = this.#words.get(text);
    if (word === undefined) {
      let hash = 0x811c9dc5;
      for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
      hash ^= hash >>> 15;
      word = (hash & (firstWord - 1)) + firstWord;
      this.#words.set(text, word);
    }
    return word;
  }

  #writeList(owner: string, list: readonly unknown[]): void {
    if (fieldRoles.get(owner) === 'set') {
      this.#writeSet(owner, list);
      return;
    }
    this.#put(token.list);
    for (const each of list) this.#write(owner, each);
    this.#put(token.listEnd);
  }

  #writeSet(owner: string, members: readonly unknown[]): void {
    this.#put(token.set);
    for (const each of members) {
      this.#put(token.member);
      this.#write(owner, each);
    }
    this.#put(token.setEnd);
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#put(token.bytes);
    this.#put(bytes.length);
    for (const byte of bytes) this.#put(byte);
  }

  #writeObject(owner: string, value: object): void {
    this.#put(token.object);
    const fields = value as Readonly<Record<string, unknown>>;
    for (const name in fields) {
      const role = fieldRoles.get(name) ?? fieldRoles.get(`${owner}.${name}`);
      if (role === 'omit') continue;
      this.#put(this.#word(name));
      if (role === 'batch') this.#put(Math.max(0, (fields[name] as number) - this.#batchBase));
      else this.#write(name, fieldOf(fields, name));
    }
    this.#put(token.objectEnd);
  }
}

/** What stands there, in the form in which it is compared. */
function fieldOf(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = fields[name];
  if (name === 'cache') return (value as readonly unknown[]).slice(fields['cacheHead'] as number);
  // The ids in a configuration have to be seen, and its bytes hide them.
  if (name === 'data' && fields['kind'] === EntryKind.configuration) {
    return decodeConfiguration(value as Uint8Array, fields['index'] as number);
  }
  return value;
}
