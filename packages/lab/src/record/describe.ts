/** Plain data in a few words: what a line on a screen can hold, whatever its size. */
import type { PlainData } from '../interface.ts';

/** Characters. */
const LONGEST = 160;

export function describePlain(value: unknown): string {
  const words = new Words();
  words.add(value);
  return words.text;
}

/** Ends where the line is full: of a log of thousands of entries the first few are written, and no more are looked at. */
class Words {
  text = '';
  #isFull = false;

  add(value: unknown): void {
    if (this.#isFull) return;
    if (value instanceof Uint8Array) this.#put(`<${value.length} bytes>`);
    else if (Array.isArray(value)) this.#list('[', value as readonly PlainData[], ']', (each) => this.add(each));
    else if (typeof value === 'object' && value !== null) {
      this.#list('{', Object.entries(value), '}', ([name, field]) => {
        this.#put(`${name}: `);
        this.add(field);
      });
    } else this.#put(typeof value === 'string' ? JSON.stringify(value.slice(0, LONGEST)) : String(value));
  }

  #list<Item>(opening: string, items: readonly Item[], closing: string, add: (item: Item) => void): void {
    this.#put(opening);
    for (const [at, item] of items.entries()) {
      if (this.#isFull) return;
      if (at > 0) this.#put(', ');
      add(item);
    }
    this.#put(closing);
  }

  #put(text: string): void {
    if (this.#isFull) return;
    this.text += text;
    if (this.text.length <= LONGEST) return;
    this.text = `${this.text.slice(0, LONGEST - 1)}…`;
    this.#isFull = true;
  }
}
