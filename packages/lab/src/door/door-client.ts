/** A client behind the third door: Maelstrom's lin-kv workload, read, write and cas, with its error codes. */
import type { KvAnswer, KvHistory, KvRequest } from '../kv/operations.ts';
import type { DoorCluster } from './door-cluster.ts';
import { type DoorBody, DoorFailure } from './message.ts';

/** Milliseconds that a client waits for an answer before it takes the outcome for unknown. */
const PATIENCE = 500;
/** Milliseconds before it asks elsewhere. */
const RETRY_PAUSE = 20;

/** Maelstrom's codes. */
const KEY_DOES_NOT_EXIST = 20;
const PRECONDITION_FAILED = 22;
/** The request is not understood. */
const NOT_SUPPORTED = 10;
const MALFORMED = 12;
/** It has not happened and will not: node not found, temporarily unavailable, abort, conflict. */
const definite: ReadonlySet<number> = new Set([1, 11, 14, 30]);

export class DoorClient {
  readonly #cluster: DoorCluster;
  readonly #history: KvHistory;
  readonly #client: number;
  readonly #nodes: readonly string[];
  #node: string;

  /** `nodes`: those that it asks. */
  constructor(cluster: DoorCluster, history: KvHistory, client: number, nodes: readonly string[] = cluster.nodes) {
    this.#cluster = cluster;
    this.#history = history;
    this.#client = client;
    this.#nodes = nodes;
    this.#node = cluster.random.pick(nodes);
  }

  /** Whom it asks next: whoever answered the last time. */
  get node(): string {
    return this.#node;
  }

  /** What came of it; null if that is not known, or if nothing came of it. */
  async ask(key: number, request: KvRequest): Promise<KvAnswer | null> {
    const node = this.#node;
    const operation = this.#history.begin(this.#client, String(key), request);
    const body = await this.#cluster.call(`c${this.#client}`, node, bodyOf(key, request), PATIENCE);
    const code = body === null ? null : errorCode(node, body);
    if (body !== null && code === null) return this.#end(operation, answerOf(node, request, body));
    if (code === KEY_DOES_NOT_EXIST && request.kind !== 'put') {
      return this.#end(operation, request.kind === 'get' ? { kind: 'value', value: null } : { kind: 'absent' });
    }
    if (code === PRECONDITION_FAILED && request.kind === 'cas') return this.#end(operation, { kind: 'mismatch' });
    if (code === NOT_SUPPORTED || code === MALFORMED) {
      const type = bodyOf(key, request).type;
      throw new DoorFailure('misanswers', node, `${node} refuses ${type} with code ${code}: ${String(body?.['text'])}`);
    }
    if (code !== null && definite.has(code)) this.#history.drop(operation);
    else this.#history.end(operation, null);
    this.#node = this.#cluster.random.pick(this.#nodes);
    await new Promise((resolve) => {
      setTimeout(resolve, RETRY_PAUSE);
    });
    return null;
  }

  #end(operation: Parameters<KvHistory['end']>[0], answer: KvAnswer): KvAnswer {
    this.#history.end(operation, answer);
    return answer;
  }
}

/** Keys and values are whole numbers on the wire, as in Maelstrom. */
function bodyOf(key: number, request: KvRequest): DoorBody {
  switch (request.kind) {
    case 'get':
      return { type: 'read', key };
    case 'put':
      return { type: 'write', key, value: Number(request.value) };
    case 'cas':
      return { type: 'cas', key, from: Number(request.from), to: Number(request.to) };
    case 'append':
      throw new TypeError('The lin-kv workload has no append.');
  }
}

/** Null: it is no error. @throws DoorFailure */
function errorCode(node: string, body: DoorBody): number | null {
  if (body.type !== 'error') return null;
  const code = body['code'];
  if (typeof code === 'number') return code;
  throw new DoorFailure('misanswers', node, `${node} answers an error without a code: ${JSON.stringify(body)}`);
}

/** @throws DoorFailure */
function answerOf(node: string, request: KvRequest, body: DoorBody): KvAnswer {
  const expected = { get: 'read_ok', put: 'write_ok', append: '', cas: 'cas_ok' }[request.kind];
  if (body.type !== expected) {
    throw new DoorFailure('misanswers', node, `${node} answers ${body.type} where ${expected} or error is due`);
  }
  if (request.kind !== 'get') return { kind: 'done' };
  const value = body['value'];
  if (typeof value === 'number') return { kind: 'value', value: String(value) };
  throw new DoorFailure(
    'misanswers',
    node,
    `${node} answers read_ok with a value that nobody wrote: ${JSON.stringify(value)}. A key that is not there is error 20`,
  );
}
