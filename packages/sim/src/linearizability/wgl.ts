/**
 * Is there an order of the operations that respects real time and that a sequential model could have answered? The search of Wing
 * and Gong with Lowe's memory of (operations placed, state) pairs that led nowhere.
 */

export interface Model<Op, State> {
  readonly initial: State;
  /** The states that `operation` may lead to with the answer that it got; none if that answer is impossible in `state`. */
  step(state: State, operation: Op): readonly State[];
  /** Equal for equal states and different for different ones. */
  identify(state: State): string;
}

/** An operation that began at `called` and ended at `returned`; both belong to it. Without an answer it may still happen, or never. */
export interface Timed<Op> {
  readonly operation: Op;
  readonly called: number;
  readonly returned: number | null;
}

export type Verdict =
  /** Indexes of the operations in an order that explains every answer. */
  | { readonly kind: 'ok'; readonly order: readonly number[] }
  | {
      readonly kind: 'violation';
      /** The longest order found that respects everything. */
      readonly prefix: readonly number[];
      /** The operation that ended before any order could take it in. */
      readonly stuck: number;
    }
  /** The budget was spent before anything was proven. */
  | { readonly kind: 'unknown'; readonly steps: number };

interface Node {
  readonly operation: number;
  readonly isCall: boolean;
  previous: Node | null;
  next: Node | null;
  /** Of a call: its return, if there was one. */
  match: Node | null;
}

interface Choice<State> {
  readonly node: Node;
  readonly state: State;
  /** What the operation might have led to, and which of it was taken. */
  readonly alternatives: readonly State[];
  taken: number;
}

/** Operations that were placed, and a state that they led to. */
interface Seen<State> {
  readonly placed: Uint32Array;
  /** Null only where it has a name. */
  readonly state: State | null;
  /** Null until somebody asks: mostly nothing else was ever placed in the same way, and names are dear. */
  name: string | null;
}

/** States kept whole; those beyond have names at once, which take less memory. */
const MAX_UNNAMED = 20_000;

export const defaultStepBudget = 5_000_000;

/** `budget`: operations tried before the search gives up. */
export function linearize<Op, State>(
  model: Model<Op, State>,
  operations: readonly Timed<Op>[],
  budget: number = defaultStepBudget,
): Verdict {
  return new Search(model, operations, budget).run();
}

class Search<Op, State> {
  readonly #model: Model<Op, State>;
  readonly #operations: readonly Timed<Op>[];
  readonly #budget: number;
  readonly #head: Node;
  readonly #placed: Uint32Array;
  readonly #seen = new Map<number, Seen<State>[]>();
  readonly #stack: Choice<State>[] = [];
  #state: State;
  /** Of `#placed`, kept up to date bit by bit. */
  #hash = 0;
  /** Answered operations that have no place yet. */
  #missing: number;
  #steps = 0;
  readonly #longest: number[] = [];
  /** So many operations of `#longest` stand in `#stack` still. */
  #unchanged = 0;
  #stuck = -1;

  constructor(model: Model<Op, State>, operations: readonly Timed<Op>[], budget: number) {
    this.#model = model;
    this.#operations = operations;
    this.#budget = budget;
    this.#head = listOf(operations);
    this.#placed = new Uint32Array((operations.length + 31) >> 5);
    this.#state = model.initial;
    this.#missing = operations.filter(({ returned }) => returned !== null).length;
  }

  run(): Verdict {
    let node = this.#head.next;
    while (this.#missing > 0) {
      if (this.#steps > this.#budget) return { kind: 'unknown', steps: this.#steps };
      if (node !== null && node.isCall) {
        node = this.#place(node, this.#alternatives(node), 0) ? this.#head.next : node.next;
        continue;
      }
      // An operation has ended here, or all have begun: one that was placed must have been placed wrongly.
      this.#remember(node);
      const choice = this.#stack.pop();
      if (choice === undefined) return { kind: 'violation', prefix: this.#longest, stuck: this.#stuck };
      this.#takeBack(choice);
      const isOther = this.#place(choice.node, choice.alternatives, choice.taken + 1);
      node = isOther ? this.#head.next : choice.node.next;
    }
    return { kind: 'ok', order: this.#stack.map(({ node: { operation } }) => operation) };
  }

  #alternatives(node: Node): readonly State[] {
    this.#steps++;
    const timed = this.#operations[node.operation];
    return timed === undefined ? [] : this.#model.step(this.#state, timed.operation);
  }

  /** Takes the operation into the order, with the first alternative from `from` on that was not tried before. */
  #place(node: Node, alternatives: readonly State[], from: number): boolean {
    this.#flip(node.operation);
    for (let taken = from; taken < alternatives.length; taken++) {
      const state = alternatives[taken];
      if (state === undefined || !this.#isNew(state)) continue;
      this.#stack.push({ node, state: this.#state, alternatives, taken });
      this.#state = state;
      lift(node);
      if (node.match !== null) this.#missing--;
      return true;
    }
    this.#flip(node.operation);
    return false;
  }

  #takeBack({ node, state }: Choice<State>): void {
    this.#unchanged = Math.min(this.#unchanged, this.#stack.length);
    this.#flip(node.operation);
    this.#state = state;
    unlift(node);
    if (node.match !== null) this.#missing++;
  }

  #remember(node: Node | null): void {
    if (this.#stuck >= 0 && this.#stack.length <= this.#longest.length) return;
    // Only what has changed since: a long order that goes on and on would be copied again and again.
    this.#longest.length = this.#unchanged;
    for (let at = this.#unchanged; at < this.#stack.length; at++)
      this.#longest.push(this.#stack[at]?.node.operation ?? -1);
    this.#unchanged = this.#longest.length;
    this.#stuck = node?.operation ?? -1;
  }

  #flip(operation: number): void {
    const word = operation >> 5;
    this.#placed[word] = (this.#placed[word] ?? 0) ^ (1 << (operation & 31));
    this.#hash ^= Math.imul(operation + 1, 0x9e3779b1);
  }

  /** Whether these operations were never placed with this state as their outcome. */
  #isNew(state: State): boolean {
    const known = this.#seen.get(this.#hash);
    if (known === undefined) {
      this.#seen.set(this.#hash, [this.#sight(state)]);
      return true;
    }
    const name = this.#model.identify(state);
    for (const each of known) {
      if (samePlaced(each.placed, this.#placed) && this.#nameOf(each) === name) return false;
    }
    known.push({ placed: this.#placed.slice(), state: null, name });
    return true;
  }

  #sight(state: State): Seen<State> {
    const placed = this.#placed.slice();
    if (this.#seen.size < MAX_UNNAMED) return { placed, state, name: null };
    return { placed, state: null, name: this.#model.identify(state) };
  }

  #nameOf(seen: Seen<State>): string {
    seen.name ??= this.#model.identify(seen.state as State);
    return seen.name;
  }
}

function samePlaced(a: Uint32Array, b: Uint32Array): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Calls and returns by time; at one moment calls come first, so that what touches overlaps. */
function listOf<Op>(operations: readonly Timed<Op>[]): Node {
  const events = operations.flatMap(({ called, returned }, operation) => {
    const call: Node = { operation, isCall: true, previous: null, next: null, match: null };
    if (returned === null) return [{ at: called, node: call }];
    const end: Node = { operation, isCall: false, previous: null, next: null, match: null };
    call.match = end;
    return [
      { at: called, node: call },
      { at: returned, node: end },
    ];
  });
  events.sort(
    (a, b) => a.at - b.at || Number(b.node.isCall) - Number(a.node.isCall) || a.node.operation - b.node.operation,
  );
  const head: Node = { operation: -1, isCall: false, previous: null, next: null, match: null };
  let last = head;
  for (const { node } of events) {
    last.next = node;
    node.previous = last;
    last = node;
  }
  return head;
}

/** Takes a call and its return out of the list. */
function lift(node: Node): void {
  unlink(node);
  if (node.match !== null) unlink(node.match);
}

/** Puts them back where they were: the last ones taken out first. */
function unlift(node: Node): void {
  if (node.match !== null) relink(node.match);
  relink(node);
}

function unlink(node: Node): void {
  if (node.previous !== null) node.previous.next = node.next;
  if (node.next !== null) node.next.previous = node.previous;
}

function relink(node: Node): void {
  if (node.previous !== null) node.previous.next = node;
  if (node.next !== null) node.next.previous = node;
}
