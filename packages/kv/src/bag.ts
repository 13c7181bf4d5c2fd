/** What lies in a bag knows where: -1 in none. In one bag at a time. */
export interface Bagged {
  place: number;
}

/**
 * A set, without an order, of what comes and goes with every request: there a Set keeps what has long gone (docs/architecture.md, "Garbage").
 */
export class Bag<Item extends Bagged> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  has(item: Item): boolean {
    return item.place !== -1;
  }

  /** The item must not lie in any bag. */
  add(item: Item): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** False if it does not lie here. */
  delete(item: Item): boolean {
    const { place } = item;
    if (place === -1) return false;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      last.place = place;
      this.#items[place] = last;
    }
    item.place = -1;
    return true;
  }

  /** What lies here now, in no order: a copy, which stays as it is whatever comes and goes. */
  values(): readonly Item[] {
    return [...this.#items];
  }

  clear(): void {
    for (const item of this.#items) item.place = -1;
    this.#items.length = 0;
  }
}
