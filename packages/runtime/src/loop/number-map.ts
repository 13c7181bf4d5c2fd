/**
 * A map from whole numbers to what comes and goes with every command: there a Map keeps what has long gone (docs/architecture.md, "Garbage").
 *
 * Open addressing with linear probing, where a deletion closes its gap (Knuth, TAOCP vol. 3, §6.4, algorithm R). Keys that follow each other
 * never collide. The table grows with what it holds and does not shrink.
 */
export class NumberMap<Value extends object> {
  #keys = new Float64Array(smallest);
  #values = emptyPlaces<Value>(smallest);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): Value | undefined {
    return this.#values[this.#find(key)] ?? undefined;
  }

  set(key: number, value: Value): void {
    let at = this.#find(key);
    if (this.#values[at] === null) {
      if (2 * (this.#size + 1) > this.#values.length) {
        this.#grow();
        at = this.#find(key);
      }
      this.#keys[at] = key;
      this.#size += 1;
    }
    this.#values[at] = value;
  }

  /** False if there is nothing under that key. */
  delete(key: number): boolean {
    let hole = this.#find(key);
    if (this.#values[hole] === null) return false;
    const mask = this.#values.length - 1;
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const value = this.#values[at] ?? null;
      if (value === null) break;
      const other = this.#keys[at] as number;
      // What stands before its hole would not be found any more if it moved there.
      if (((at - other) & mask) < ((at - hole) & mask)) continue;
      this.#keys[hole] = other;
      this.#values[hole] = value;
      hole = at;
    }
    this.#values[hole] = null;
    this.#size -= 1;
    return true;
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#values.fill(null);
    this.#size = 0;
  }

  /** What is held now, in no order: a copy, which stays as it is whatever comes and goes. */
  entries(): readonly (readonly [number, Value])[] {
    const found: [number, Value][] = [];
    if (this.#size === 0) return found;
    for (let at = 0; at < this.#values.length; at++) {
      const value = this.#values[at] ?? null;
      if (value !== null) found.push([this.#keys[at] as number, value]);
    }
    return found;
  }

  /** Where the key stands, or the gap where it would. */
  #find(key: number): number {
    const mask = this.#values.length - 1;
    let at = key & mask;
    while (this.#values[at] !== null && this.#keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const held = this.entries();
    this.#keys = new Float64Array(2 * this.#values.length);
    this.#values = emptyPlaces(this.#keys.length);
    for (const [key, value] of held) {
      const at = this.#find(key);
      this.#keys[at] = key;
      this.#values[at] = value;
    }
  }
}

/** Places of an empty map; a power of two, as all sizes are. */
const smallest = 64;

function emptyPlaces<Value>(count: number): (Value | null)[] {
  return Array.from<Value | null>({ length: count }).fill(null);
}
