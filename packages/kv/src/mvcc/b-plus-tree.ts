/**
 * An ordered map from byte strings to values: a B+tree whose leaves are chained, so that a range is one descent and then a
 * walk along arrays. Every key in a subtree `children[i]` is ≥ `keys[i - 1]` and < `keys[i]`.
 */
import type { ByteString } from '../byte-string.ts';

/** Keys in a leaf, children in an inner node. 64 keeps an insertion's shifting within a few cache lines. */
const capacity = 64;
/** A node that falls below this looks for a neighbour to merge with. */
const underfull = capacity / 4;

interface Leaf<V> {
  readonly leaf: true;
  keys: ByteString[];
  values: V[];
  next: Leaf<V> | null;
}

interface Inner<V> {
  readonly leaf: false;
  /** One fewer than children. */
  keys: ByteString[];
  children: Node<V>[];
}

type Node<V> = Leaf<V> | Inner<V>;

export class BPlusTree<V> {
  #root: Node<V> = emptyLeaf<V>();
  #size = 0;
  /** Grows whenever keys come or go; a cursor that sees it changed seeks its place anew. */
  #structure = 0;

  get size(): number {
    return this.#size;
  }

  get(key: ByteString): V | undefined {
    const leaf = this.#leafOf(key);
    const at = lowerBound(leaf.keys, key);
    return leaf.keys[at] === key ? leaf.values[at] : undefined;
  }

  /** Adds or replaces. */
  set(key: ByteString, value: V): void {
    const split = this.#insert(this.#root, key, value);
    if (split !== null) this.#root = { leaf: false, keys: [split.key], children: [this.#root, split.right] };
  }

  /** True if the key was there. */
  delete(key: ByteString): boolean {
    if (!this.#remove(this.#root, key)) return false;
    this.#size--;
    this.#structure++;
    while (!this.#root.leaf && this.#root.children.length === 1) this.#root = this.#root.children[0] as Node<V>;
    return true;
  }

  /** A cursor at the first key ≥ `from`. */
  cursor(from: ByteString): Cursor<V> {
    return new Cursor(this, from);
  }

  /** For cursors. */
  get structure(): number {
    return this.#structure;
  }

  /** For cursors: the leaf that holds or would hold `key`, and the place of the first key ≥ `key` in it. */
  locate(key: ByteString): { leaf: Leaf<V>; index: number } {
    const leaf = this.#leafOf(key);
    return { leaf, index: lowerBound(leaf.keys, key) };
  }

  #leafOf(key: ByteString): Leaf<V> {
    let node = this.#root;
    while (!node.leaf) node = node.children[upperBound(node.keys, key)] as Node<V>;
    return node;
  }

  #insert(node: Node<V>, key: ByteString, value: V): Split<V> | null {
    if (node.leaf) return this.#insertIntoLeaf(node, key, value);
    const at = upperBound(node.keys, key);
    const split = this.#insert(node.children[at] as Node<V>, key, value);
    if (split === null) return null;
    node.keys.splice(at, 0, split.key);
    node.children.splice(at + 1, 0, split.right);
    return node.children.length > capacity ? splitInner(node) : null;
  }

  #insertIntoLeaf(leaf: Leaf<V>, key: ByteString, value: V): Split<V> | null {
    const at = lowerBound(leaf.keys, key);
    if (leaf.keys[at] === key) {
      leaf.values[at] = value;
      return null;
    }
    this.#size++;
    this.#structure++;
    leaf.keys.splice(at, 0, key);
    leaf.values.splice(at, 0, value);
    return leaf.keys.length > capacity ? splitLeaf(leaf) : null;
  }

  #remove(node: Node<V>, key: ByteString): boolean {
    if (node.leaf) {
      const at = lowerBound(node.keys, key);
      if (node.keys[at] !== key) return false;
      node.keys.splice(at, 1);
      node.values.splice(at, 1);
      return true;
    }
    const at = upperBound(node.keys, key);
    const child = node.children[at] as Node<V>;
    if (!this.#remove(child, key)) return false;
    if (fill(child) < underfull) mergeAround(node, at);
    return true;
  }
}

/**
 * A place in the tree, moving upward. It survives any change of the tree between two steps: what is inserted or removed
 * ahead of it is seen or not seen, what it has passed never comes again.
 */
export class Cursor<V> {
  readonly #tree: BPlusTree<V>;
  #leaf: Leaf<V> | null = null;
  #index = 0;
  #structure = -1;
  /** Where to seek: the first key ≥ (or, once `#passed`, >) this. */
  #key: ByteString;
  #passed = false;

  constructor(tree: BPlusTree<V>, from: ByteString) {
    this.#tree = tree;
    this.#key = from;
  }

  /** Moves to the next key; false at the end. `key` and `value` speak of it until the next call. */
  next(): boolean {
    if (this.#structure !== this.#tree.structure) this.#seek();
    else this.#index++;
    while (this.#leaf !== null && this.#index >= this.#leaf.keys.length) {
      this.#leaf = this.#leaf.next;
      this.#index = 0;
    }
    if (this.#leaf === null) return false;
    this.#key = this.#leaf.keys[this.#index] as ByteString;
    this.#passed = true;
    return true;
  }

  get key(): ByteString {
    return this.#key;
  }

  /** Valid right after `next` answered true. */
  get value(): V {
    return (this.#leaf as Leaf<V>).values[this.#index] as V;
  }

  #seek(): void {
    const { leaf, index } = this.#tree.locate(this.#key);
    this.#leaf = leaf;
    this.#index = this.#passed && leaf.keys[index] === this.#key ? index + 1 : index;
    this.#structure = this.#tree.structure;
  }
}

interface Split<V> {
  /** The smallest key under `right`. */
  readonly key: ByteString;
  readonly right: Node<V>;
}

function emptyLeaf<V>(): Leaf<V> {
  return { leaf: true, keys: [], values: [], next: null };
}

function splitLeaf<V>(leaf: Leaf<V>): Split<V> {
  // Keys that arrive in order (a restore, a queue) would leave half-empty leaves behind; the last leaf splits at its end.
  const half = leaf.next === null ? capacity : capacity / 2;
  const right: Leaf<V> = {
    leaf: true,
    keys: leaf.keys.splice(half),
    values: leaf.values.splice(half),
    next: leaf.next,
  };
  leaf.next = right;
  return { key: right.keys[0] as ByteString, right };
}

function splitInner<V>(node: Inner<V>): Split<V> {
  const half = capacity / 2;
  const children = node.children.splice(half);
  const keys = node.keys.splice(half);
  const key = node.keys.pop() as ByteString;
  return { key, right: { leaf: false, keys, children } };
}

function fill<V>(node: Node<V>): number {
  return node.leaf ? node.keys.length : node.children.length;
}

/** Merges `children[at]` with a neighbour under the same parent if both fit into one node. */
function mergeAround<V>(parent: Inner<V>, at: number): void {
  if (at + 1 < parent.children.length && mergeRight(parent, at)) return;
  if (at > 0) mergeRight(parent, at - 1);
}

function mergeRight<V>(parent: Inner<V>, at: number): boolean {
  const left = parent.children[at] as Node<V>;
  const right = parent.children[at + 1] as Node<V>;
  if (fill(left) + fill(right) > capacity) return false;
  if (left.leaf && right.leaf) {
    for (const key of right.keys) left.keys.push(key);
    for (const value of right.values) left.values.push(value);
    left.next = right.next;
  } else if (!left.leaf && !right.leaf) {
    left.keys.push(parent.keys[at] as ByteString);
    for (const key of right.keys) left.keys.push(key);
    for (const child of right.children) left.children.push(child);
  } else {
    throw new Error('B+tree nodes of one level must be of one kind');
  }
  parent.keys.splice(at, 1);
  parent.children.splice(at + 1, 1);
  return true;
}

/** Place of the first key ≥ `key`. */
function lowerBound(keys: readonly ByteString[], key: ByteString): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as ByteString) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Place of the first key > `key`. */
function upperBound(keys: readonly ByteString[], key: ByteString): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as ByteString) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
