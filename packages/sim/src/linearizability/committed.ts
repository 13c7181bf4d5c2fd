/**
 * A history against the order in which its writes were committed, which a virtual world knows: replayed on a model, every answer must
 * be the one that the state at its revision gives, every write there exactly once, and revisions must agree with real time.
 */
import { CommandKind, EnvelopeReader } from '@quorate/kv';
import type { KeyValue, KvRequest, Operation, SimpleResponse } from '../history.ts';
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
  readonly writes: (Write & { readonly revision: number })[] = [];
  /** Commands that were committed and wrote nothing. */
  readonly idle: Write[] = [];
  readonly #versions = new Map<string, Version[]>();
  #revision = 1;

  constructor(committed: readonly CommittedCommand[]) {
    const reader = new EnvelopeReader();
    const seen = new Set<string>();
    let space: Space = new Map();
    for (const { index, data } of committed) {
      const { kind, origin, sequence, payload } = reader.open(data);
      // A command may stand in the log twice, and takes effect once.
      const name = `${origin.member}/${origin.incarnation}/${sequence}`;
      if (seen.has(name)) continue;
      seen.add(name);
      if (kind === CommandKind.publishMember) continue;
      space = this.#apply(space, { index, request: decodeRequest(kindOf(kind), payload) });
    }
  }

  get revision(): number {
    return this.#revision;
  }

  /** The key space as it was at `revision`. */
  at(revision: number): Space {
    const space = new Map<string, Item>();
    for (const [key, versions] of this.#versions) {
      const item = newestAt(versions, revision);
      if (item !== null) space.set(key, item);
    }
    return space;
  }

  #apply(space: Space, write: Write): Space {
    const { request } = write;
    if (request.kind === 'compact') {
      this.idle.push(write);
      return space;
    }
    const revision = this.#revision + 1;
    const branch = request.kind === 'txn' ? branchOf(space, request) : [request];
    const effect = carryOut(space, branch, revision);
    if (!effect.writes) {
      this.idle.push(write);
      return space;
    }
    this.#revision = revision;
    this.writes.push({ ...write, revision });
    for (const key of new Set([...space.keys(), ...effect.space.keys()])) {
      const item = effect.space.get(key) ?? null;
      if (item !== (space.get(key) ?? null)) this.#changed(key, revision, item);
    }
    return effect.space;
  }

  #changed(key: string, revision: number, item: Item | null): void {
    const versions = this.#versions.get(key) ?? [];
    versions.push({ revision, item });
    this.#versions.set(key, versions);
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
    const other = past.writes.find((write) => write.revision === revision);
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
  const unclaimed = new Map<string, (Write & WritePlace)[]>();
  for (const write of past.writes) {
    const text = JSON.stringify(write.request);
    const same = unclaimed.get(text);
    if (same === undefined) unclaimed.set(text, [write]);
    else same.push(write);
  }
  const claimed = new Map<Operation, WritePlace>();
  for (const operation of history) {
    const { request, outcome } = operation;
    if (outcome.kind !== 'ok' || !wrote(operation)) continue;
    const { revision } = outcome.response;
    const same = unclaimed.get(JSON.stringify(request)) ?? [];
    const at = same.findIndex((write) => write.revision === revision);
    const [write] = at < 0 ? [] : same.splice(at, 1);
    if (write === undefined) onMissing(operation, revision);
    else claimed.set(operation, write);
  }
  // Equal requests without an answer tell nothing apart: the one called first takes the first write.
  for (const operation of history.toSorted((a, b) => a.called - b.called)) {
    if (operation.outcome.kind !== 'unknown') continue;
    const write = unclaimed.get(JSON.stringify(operation.request))?.shift();
    if (write !== undefined) claimed.set(operation, write);
  }
  return { claimed, unclaimed };
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
  let branch = request.kind === 'txn' ? [] : [request];
  let actual: readonly SimpleResponse[] = response.kind === 'txn' ? response.responses : [response];
  if (request.kind === 'txn' && response.kind === 'txn') {
    const holds = compares(before, request.txn) === true;
    if (holds !== response.succeeded) {
      const first = `at revision ${readAt} the conditions ${holds ? 'held' : 'did not hold'}`;
      throw new Violation('G1', first, `${describe(operation)} was answered otherwise`);
    }
    branch = [...(holds ? request.txn.success : request.txn.failure)];
    actual = response.responses;
  }
  const { responses } = carryOut(before, branch, readAt);
  responses.forEach((expected, at) => {
    const given = actual[at];
    const what = given === undefined ? 'an answer is missing' : difference(expected, given);
    if (what === null) return;
    throw new Violation(
      'G1',
      `the committed order at revision ${readAt} gives ${show(expected)}`,
      `${describe(operation)}: ${what}`,
    );
  });
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
