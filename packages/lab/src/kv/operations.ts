/** What clients of a key-value service ask and are told: the history that is judged in the end. */

export type KvRequest =
  | { readonly kind: 'get' }
  | { readonly kind: 'put'; readonly value: string }
  /** To what the key holds; to nothing if there is no such key. */
  | { readonly kind: 'append'; readonly value: string }
  /** Puts `to` where `from` stands. */
  | { readonly kind: 'cas'; readonly from: string; readonly to: string };

export type KvAnswer =
  /** Of a get; null: there is no such key. */
  | { readonly kind: 'value'; readonly value: string | null }
  | { readonly kind: 'done' }
  /** Refusals of a cas: another value stands there, or none. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'absent' };

export interface KvOperation {
  readonly client: number;
  readonly key: string;
  readonly request: KvRequest;
  /** Milliseconds. */
  readonly called: number;
  readonly returned: number | null;
  /** Null: it may have happened, or may yet, or never. */
  readonly answer: KvAnswer | null;
}

/** Records operations as they end. */
export class KvHistory {
  readonly operations: KvOperation[] = [];
  readonly #open = new Set<KvOperation>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(client: number, key: string, request: KvRequest): KvOperation {
    const operation = { client, key, request, called: this.#now(), returned: null, answer: null };
    this.#open.add(operation);
    return operation;
  }

  /** Null where nobody knows whether it happened. */
  end(operation: KvOperation, answer: KvAnswer | null): void {
    this.#open.delete(operation);
    this.operations.push({ ...operation, returned: answer === null ? null : this.#now(), answer });
  }

  /** It has certainly not happened, and never will. */
  drop(operation: KvOperation): void {
    this.#open.delete(operation);
  }

  /** With those that nobody has answered yet. */
  all(): readonly KvOperation[] {
    return [...this.operations, ...this.#open];
  }
}

/** Characters of a value that are shown: long values grow at their end. */
const SHOWN = 24;

export function showRequest({ key, request }: KvOperation): string {
  switch (request.kind) {
    case 'get':
      return `get ${key}`;
    case 'cas':
      return `cas ${key} from ${showValue(request.from)} to ${showValue(request.to)}`;
    default:
      return `${request.kind} ${key} ${showValue(request.value)}`;
  }
}

export function showAnswer({ answer }: KvOperation): string {
  if (answer === null) return 'no answer';
  return answer.kind === 'value' ? showValue(answer.value) : answer.kind;
}

export function showValue(value: string | null): string {
  if (value === null) return 'no key';
  return JSON.stringify(value.length <= SHOWN ? value : `…${value.slice(-SHOWN)}`);
}
