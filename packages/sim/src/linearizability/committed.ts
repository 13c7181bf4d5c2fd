/**
 * A history against the order in which its writes were committed, which a virtual world knows: replayed on a model, every answer must
 * be the one that the state at its revision gives, every write there exactly once, and revisions must agree with real time.
 */
import { CommandKind, EnvelopeReader } from '@quorate/kv';
import type { KeyValue, KvRequest, Operation, SimpleRequest, SimpleResponse } from '../history.ts';
import { Violation } from '../watch.ts';
import { decodeRequest } from '../world/kv-messages.ts';
import { carryOut, compares, difference, type Item, type Space } from './space.ts';

/** A command in the order of the log. */
export interface CommittedCommand {
  readonly index: number;
  readonly data: Uint8Array;
}

/**
 * Returns the revisions at which unanswered writes were committed.
 *
 * @throws Violation (G1, G2, G5, G6)
 */
export function checkCommitted(
  history: readonly Operation[],
  committed: readonly CommittedCommand[],
): ReadonlyMap<Operation, number> {
  const past = new Past(committed);
  const found = checkClaims(history, past);
  for (const operation of history) checkAnswer(operation, past);
  checkRealTime(history);
  return found;
}

/** What each write did, at its revision. */
interface Write {
  readonly index: number;
  readonly request: KvRequest;
}

interface Version {
  readonly revision: number;
  /** Null: deleted. */
  readonly item: Item | null;
}

/** Every version of every key. */
class Past {
  /** What was written, by revision. */
  readonly writes = new Map<number, Write & WritePlace>();
  /** Commands that were committed and wrote nothing. */
  readonly idle: Write[] = [];
  readonly #versions = new Map<string, Version[]>();
  /** The key space as the last write left it. */
  readonly #space = new Map<string, Item>();
  #revision = 1;

  constructor(committed: readonly CommittedCommand[]) {
    const reader = new EnvelopeReader();
    const seen = new Set<string>();
    for (const { index, data } of committed) {
      const { kind, origin, sequence, payload } = reader.open(data);
      // A command may stand in the log twice, and takes effect once.
      const name = `${origin.member}/${origin.incarnation}/${sequence}`;
      if (seen.has(name)) continue;
      seen.add(name);
      if (kind === CommandKind.publishMember) continue;
      this.#apply({ index, request: decodeRequest(kindOf(kind), payload) });
    }
  }

  get revision(): number {
    return this.#revision;
  }

  /** The key space as it was at `revision`. */
  at(revision: number): Space {
    return new PastSpace(this.#versions, revision);
  }

  #apply(write: Write): void {
    const { request } = write;
    if (request.kind === 'compact') return void this.idle.push(write);
    const revision = this.#revision + 1;
    const branch = request.kind === 'txn' ? branchOf(this.#space, request) : [request];
    const { changes } = carryOut(this.#space, branch, revision);
    if (changes.size === 0) return void this.idle.push(write);
    this.#revision = revision;
    this.writes.set(revision, { ...write, revision });
    for (const [key, item] of changes) this.#change(key, revision, item);
  }

  #change(key: string, revision: number, item: Item | null): void {
    // Made and deleted by one transaction: nobody ever sees it.
    if (item === null && !this.#space.delete(key)) return;
    if (item !== null) this.#space.set(key, item);
    const version = { revision, item };
    const versions = this.#versions.get(key);
    if (versions === undefined) this.#versions.set(key, [version]);
    else versions.push(version);
  }
}

/** The past at one revision, looked up where it is asked: most answers are about one key. */
class PastSpace implements Space {
  readonly #versions: ReadonlyMap<string, readonly Version[]>;
  readonly #revision: number;

  constructor(versions: ReadonlyMap<string, readonly Version[]>, revision: number) {
    this.#versions = versions;
    this.#revision = revision;
  }

  get(key: string): Item | undefined {
    return newestAt(this.#versions.get(key) ?? [], this.#revision) ?? undefined;
  }

  *keys(): Iterable<string> {
    for (const key of this.#versions.keys()) if (this.get(key) !== undefined) yield key;
  }
}

/** The last version up to `revision`, by halving: versions stand in order. */
function newestAt(versions: readonly Version[], revision: number): Item | null {
  let [from, to] = [0, versions.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((versions[middle]?.revision ?? 0) <= revision) from = middle + 1;
    else to = middle;
  }
  return versions[from - 1]?.item ?? null;
}

function kindOf(kind: CommandKind): KvRequest['kind'] {
  switch (kind) {
    case CommandKind.put:
      return 'put';
    case CommandKind.deleteRange:
      return 'delete';
    case CommandKind.txn:
      return 'txn';
    default:
      return 'compact';
  }
}

function branchOf(space: Space, { txn }: Extract<KvRequest, { kind: 'txn' }>): typeof txn.success {
  return compares(space, txn) === true ? txn.success : txn.failure;
}

/** Every committed write is one operation's, and no operation's twice; a refused one has none, an acknowledged one exactly one. */
function checkClaims(history: readonly Operation[], past: Past): ReadonlyMap<Operation, number> {
  const { claimed, unclaimed } = claimsOf(history, past, (operation, revision) => {
    const other = past.writes.get(revision);
    const second =
      other === undefined ? 'nothing was committed at it' : `it is that of ${JSON.stringify(other.request)}`;
    throw new Violation('G1', `${describe(operation)} was acknowledged at revision ${revision}`, second);
  });
  for (const [text, writes] of unclaimed) {
    const [left] = writes;
    if (left === undefined) continue;
    const refused = history.find(
      ({ request, outcome }) => outcome.kind === 'refused' && JSON.stringify(request) === text,
    );
    const first = `entry ${left.index} wrote revision ${left.revision}: ${text}`;
    if (refused !== undefined) throw new Violation('G6', first, `${describe(refused)} was refused for certain`);
    throw new Violation('G5', first, 'no call that may have done so is left: it was written twice, or by nobody');
  }
  const found = new Map<Operation, number>();
  for (const [operation, { revision }] of claimed) {
    if (operation.outcome.kind === 'unknown') found.set(operation, revision);
  }
  return found;
}

/** Where a write stands in the log, and which revision it made. */
export interface WritePlace {
  readonly index: number;
  readonly revision: number;
}

/** Where the writes of a history stand, as far as that can be told. Judges nothing: what contradicts itself has no place. */
export function placesOf(
  history: readonly Operation[],
  committed: readonly CommittedCommand[],
): ReadonlyMap<Operation, WritePlace> {
  return claimsOf(history, new Past(committed), () => undefined).claimed;
}

interface Claims {
  readonly claimed: ReadonlyMap<Operation, WritePlace>;
  /** By the request: committed, and nobody's. */
  readonly unclaimed: ReadonlyMap<string, readonly (Write & WritePlace)[]>;
}

/** `onMissing`: an acknowledged write is not among those that were committed. */
function claimsOf(
  history: readonly Operation[],
  past: Past,
  onMissing: (operation: Operation, revision: number) => void,
): Claims {
  const left = new Map(past.writes);
  const claimed = new Map<Operation, WritePlace>();
  for (const operation of history) {
    const { request, outcome } = operation;
    if (outcome.kind !== 'ok' || !wrote(operation)) continue;
    const { revision } = outcome.response;
    const write = left.get(revision);
    if (write !== undefined && isSameRequest(write.request, request)) {
      left.delete(revision);
      claimed.set(operation, write);
    } else onMissing(operation, revision);
  }
  const unclaimed = byRequest(left.values());
  // Equal requests without an answer tell nothing apart: the one called first takes the first write.
  const unanswered = history.filter(({ outcome }) => outcome.kind === 'unknown');
  for (const operation of unanswered.toSorted((a, b) => a.called - b.called)) {
    const write = unclaimed.get(JSON.stringify(operation.request))?.shift();
    if (write !== undefined) claimed.set(operation, write);
  }
  return { claimed, unclaimed };
}

function byRequest(writes: Iterable<Write & WritePlace>): ReadonlyMap<string, (Write & WritePlace)[]> {
  const found = new Map<string, (Write & WritePlace)[]>();
  for (const write of writes) {
    const text = JSON.stringify(write.request);
    const same = found.get(text);
    if (same === undefined) found.set(text, [write]);
    else same.push(write);
  }
  return found;
}

/** Nearly all writes are plain puts, and their text is long: only the others are compared by it. */
function isSameRequest(a: KvRequest, b: KvRequest): boolean {
  if (a.kind === 'put' && b.kind === 'put') return a.key === b.key && a.value === b.value;
  return JSON.stringify(a) === JSON.stringify(b);
}

function wrote({ request, outcome }: Operation): boolean {
  if (outcome.kind !== 'ok' || request.kind === 'range' || request.kind === 'compact') return false;
  const { response } = outcome;
  if (response.kind === 'delete') return response.deleted > 0;
  if (response.kind !== 'txn') return true;
  return response.responses.some((each) => each.kind === 'put' || (each.kind === 'delete' && each.deleted > 0));
}

/** The answer must be what the state at its revision gives. */
function checkAnswer(operation: Operation, past: Past): void {
  const { request, outcome } = operation;
  if (outcome.kind !== 'ok' || request.kind === 'compact') return;
  const { response } = outcome;
  if (response.kind === 'compact') return;
  if (response.revision > past.revision) {
    const first = `the newest committed revision is ${past.revision}`;
    throw new Violation('G1', first, `${describe(operation)} was answered at ${response.revision}`);
  }
  const readAt = request.kind === 'range' && request.revision > 0 ? request.revision : response.revision;
  const before = past.at(wrote(operation) ? readAt - 1 : readAt);
  let branch: readonly SimpleRequest[] = request.kind === 'txn' ? [] : [request];
  let actual: readonly SimpleResponse[] = response.kind === 'txn' ? response.responses : [response];
  if (request.kind === 'txn' && response.kind === 'txn') {
    const holds = compares(before, request.txn) === true;
    if (holds !== response.succeeded) {
      const first = `at revision ${readAt} the conditions ${holds ? 'held' : 'did not hold'}`;
      throw new Violation('G1', first, `${describe(operation)} was answered otherwise`);
    }
    branch = holds ? request.txn.success : request.txn.failure;
    actual = response.responses;
  }
  const { responses } = carryOut(before, branch, readAt);
  for (const [at, expected] of responses.entries()) {
    const given = actual[at];
    const what = given === undefined ? 'an answer is missing' : difference(expected, given);
    if (what === null) continue;
    throw new Violation(
      'G1',
      `the committed order at revision ${readAt} gives ${show(expected)}`,
      `${describe(operation)}: ${what}`,
    );
  }
}

function show(expected: unknown): string {
  return JSON.stringify(expected, (name, value: unknown) => (name === 'value' ? short(String(value)) : value));
}

function short(value: KeyValue['value']): string {
  return value.length > 20 ? `${value.slice(0, 20)}…` : value;
}

/**
 * Whoever is called after another has answered must not show an older revision (G2: at the latest what was acknowledged before the
 * call). Reads that may be stale bind others, but are not bound.
 */
function checkRealTime(history: readonly Operation[]): void {
  const answered = history.filter(({ outcome, returned }) => outcome.kind === 'ok' && returned !== null);
  const byCall = answered.toSorted((a, b) => a.called - b.called);
  const byReturn = answered.toSorted((a, b) => (a.returned ?? 0) - (b.returned ?? 0));
  let newest: Operation | null = null;
  let at = 0;
  for (const operation of byCall) {
    for (; at < byReturn.length; at++) {
      const before = byReturn[at];
      if (before === undefined || (before.returned ?? 0) >= operation.called) break;
      if (newest === null || revisionOf(before) > revisionOf(newest)) newest = before;
    }
    if (newest === null || isStaleByWish(operation)) continue;
    const floor = revisionOf(newest);
    const isOld = wrote(operation) ? revisionOf(operation) <= floor : revisionOf(operation) < floor;
    if (!isOld) continue;
    const first = `${describe(newest)} showed revision ${floor} and ended at ${newest.returned} µs`;
    throw new Violation(
      'G2',
      first,
      `${describe(operation)}, called at ${operation.called} µs, shows ${revisionOf(operation)}`,
    );
  }
}

function revisionOf({ outcome }: Operation): number {
  return outcome.kind === 'ok' ? outcome.response.revision : 0;
}

function isStaleByWish({ request }: Operation): boolean {
  return request.kind === 'range' && request.serializable;
}

function describe({ client, request }: Operation): string {
  return `client ${client}'s ${show(request)}`;
}
