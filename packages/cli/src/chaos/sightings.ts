/**
 * What reads of any kind, stale and historical ones included, have shown of a group, against its writes: nothing that was never
 * written or was refused, one write one revision, one version one content, and no answer that misses a write below its revision.
 */
import { type KeyValue, type Operation, type SimpleRequest, type SimpleResponse, Violation } from '@quorate/sim';

interface Write {
  readonly operation: Operation;
  readonly key: string;
  readonly value: string;
  /** Null if it has no answer. */
  readonly revision: number | null;
}

/** @throws Violation */
export function checkSightings(operations: readonly Operation[]): void {
  const facts = new WriteFacts(operations);
  const versions = new Map<string, KeyValue>();
  for (const operation of operations) {
    for (const [request, response] of answersOf(operation)) {
      for (const shown of shownBy(response)) {
        facts.checkOrigin(shown, operation);
        checkSame(versions, shown, operation);
      }
      if (operation.request.kind === 'range') facts.checkComplete(request, response, operation);
    }
  }
}

class WriteFacts {
  readonly #byValue = new Map<string, Write>();
  readonly #byKey = new Map<string, Write[]>();
  /** Where deletes may have struck: any of them makes an absence possible. */
  readonly #deletes: { readonly request: SimpleRequest; readonly revision: number | null }[] = [];

  constructor(operations: readonly Operation[]) {
    for (const operation of operations) this.#learn(operation);
  }

  #learn(operation: Operation): void {
    const { request, outcome } = operation;
    if (request.kind === 'compact') return;
    const revision = outcome.kind === 'ok' ? outcome.response.revision : null;
    const done = request.kind === 'txn' ? branchesOf(operation) : [request];
    for (const each of done) {
      if (each.kind === 'put') {
        const write = { operation, key: each.key, value: each.value, revision };
        this.#byValue.set(`${each.key}\0${each.value}`, write);
        if (revision === null) continue;
        const writes = this.#byKey.get(each.key);
        if (writes === undefined) this.#byKey.set(each.key, [write]);
        else writes.push(write);
      } else if (each.kind === 'delete' && outcome.kind !== 'refused') this.#deletes.push({ request: each, revision });
    }
  }

  /** Whatever is shown was written, and once. */
  checkOrigin(shown: KeyValue, seen: Operation): void {
    const write = this.#byValue.get(`${shown.key}\0${shown.value}`);
    const here = `${text(shown)} was shown by ${JSON.stringify(seen)}`;
    if (write === undefined) throw new Violation('G1', `no request wrote ${shown.value} to ${shown.key}`, here);
    const { operation, revision } = write;
    if (operation.outcome.kind === 'refused') {
      throw new Violation('G6', `this write was refused for good: ${JSON.stringify(operation)}`, here);
    }
    if (revision !== null && revision !== shown.modRevision) {
      throw new Violation('G5', `this write was done at revision ${revision}: ${JSON.stringify(operation)}`, here);
    }
  }

  /** A read at a revision shows every answered write up to it that no later one has undone. */
  checkComplete(request: SimpleRequest, response: SimpleResponse, seen: Operation): void {
    if (request.kind !== 'range' || response.kind !== 'range' || request.limit !== 0) return;
    const at = request.revision === 0 ? response.revision : request.revision;
    const shown = new Map(response.kvs.map((kv) => [kv.key, kv.modRevision]));
    for (const [key, writes] of this.#byKey) {
      if (!covers(request, key)) continue;
      const mod = shown.get(key) ?? 0;
      const missed = writes.find(({ revision }) => revision !== null && revision <= at && revision > mod);
      if (missed === undefined || (mod === 0 && this.#mayBeDeleted(key, missed.revision ?? 0, at))) continue;
      const first = `${JSON.stringify(missed.operation)} wrote ${key} at revision ${missed.revision}`;
      throw new Violation('G1', first, `a read at revision ${at} misses it: ${JSON.stringify(seen)}`);
    }
  }

  #mayBeDeleted(key: string, after: number, upTo: number): boolean {
    return this.#deletes.some(
      ({ request, revision }) => covers(request, key) && (revision === null || (revision > after && revision <= upTo)),
    );
  }
}

/** The requests of a transaction that were carried out, or may have been. */
function branchesOf({ request, outcome }: Operation): readonly SimpleRequest[] {
  if (request.kind !== 'txn') return [];
  if (outcome.kind !== 'ok' || outcome.response.kind !== 'txn') return [...request.txn.success, ...request.txn.failure];
  return outcome.response.succeeded ? request.txn.success : request.txn.failure;
}

function answersOf(operation: Operation): readonly (readonly [SimpleRequest, SimpleResponse])[] {
  const { request, outcome } = operation;
  if (outcome.kind !== 'ok' || request.kind === 'compact') return [];
  const { response } = outcome;
  if (request.kind !== 'txn') {
    return response.kind === 'txn' || response.kind === 'compact' ? [] : [[request, response]];
  }
  if (response.kind !== 'txn') return [];
  return branchesOf(operation).flatMap((each, at) => {
    const answer = response.responses[at];
    return answer === undefined ? [] : [[each, answer] as const];
  });
}

function shownBy(response: SimpleResponse): readonly KeyValue[] {
  if (response.kind === 'range') return response.kvs;
  return response.kind === 'put' && response.previous !== null ? [response.previous] : [];
}

function checkSame(versions: Map<string, KeyValue>, shown: KeyValue, seen: Operation): void {
  const name = `${shown.key}@${shown.modRevision}`;
  const known = versions.get(name);
  if (known === undefined) versions.set(name, shown);
  else if (text(known) !== text(shown)) {
    throw new Violation('C8', `a read showed ${text(known)}`, `another shows ${text(shown)}: ${JSON.stringify(seen)}`);
  }
}

function covers(request: SimpleRequest, key: string): boolean {
  if (request.kind === 'put' || request.rangeEnd === '') return request.key === key;
  return key >= request.key && key < request.rangeEnd;
}

function text({ key, value, createRevision, modRevision, version }: KeyValue): string {
  return `${key}=${value} (created ${createRevision}, changed ${modRevision}, version ${version})`;
}
