/** Reads one directive: `deliver n1->n2 appendEntries count=2 (…)`. */

/** A script that cannot be understood. Says which directive and why. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

export class Words {
  readonly directive: string;
  readonly #line: string;
  readonly #words: string[];
  readonly #values = new Map<string, string>();

  constructor(line: string) {
    this.#line = line;
    const words = line.match(/[^\s()]*\([^)]*\)|[^\s()]+/g) ?? [];
    this.directive = words[0] ?? '';
    this.#words = [];
    for (const word of words.slice(1)) {
      const pair = /^([a-zA-Z]+)=(.*)$/s.exec(word);
      if (pair?.[1] !== undefined && pair[2] !== undefined) {
        this.#values.set(pair[1], pair[2]);
      } else {
        this.#words.push(word);
      }
    }
  }

  /** The next plain word. */
  next(what: string): string {
    return this.#words.shift() ?? this.fail(`expects ${what}`);
  }

  /** The next plain word if there is one that passes. */
  optional(passes: (word: string) => boolean = () => true): string | null {
    const word = this.#words[0];
    return word !== undefined && passes(word) ? (this.#words.shift() ?? null) : null;
  }

  rest(): string[] {
    return this.#words.splice(0);
  }

  /** The value of `name=value`, or null. */
  value(name: string): string | null {
    const found = this.#values.get(name) ?? null;
    this.#values.delete(name);
    return found;
  }

  number(name: string): number | null {
    const found = this.value(name);
    return found === null ? null : this.parseNumber(found);
  }

  parseNumber(word: string): number {
    const value = Number(word);
    return Number.isSafeInteger(value) ? value : this.fail(`takes ${word} for a number`);
  }

  /** `name=(a b c)` as a list; empty if absent. */
  list(name: string): string[] {
    const found = this.value(name);
    return found === null ? [] : listOf(found);
  }

  /** `name=index/term`. */
  position(name: string): { index: number; term: number } {
    return this.parsePosition(this.value(name) ?? '0/0');
  }

  parsePosition(word: string): { index: number; term: number } {
    const [index, term] = word.split('/');
    return { index: this.parseNumber(index ?? ''), term: this.parseNumber(term ?? '') };
  }

  /** Every other `name=value`. */
  remaining(): [string, string][] {
    const pairs = [...this.#values];
    this.#values.clear();
    return pairs;
  }

  finish(): void {
    const left = [...this.#words, ...this.#values.keys()];
    if (left.length > 0) {
      this.fail(`does not know what to do with ${left.join(' ')}`);
    }
  }

  fail(why: string): never {
    throw new ScriptError(`\`${this.#line}\` ${why}.`);
  }
}

export function listOf(word: string): string[] {
  return word
    .replace(/^\(|\)$/g, '')
    .split(/\s+/)
    .filter((part) => part !== '');
}

const unitMicros: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };

export function parseDuration(word: string, words: Words): number {
  const parts = /^(\d+)(us|ms|s)$/.exec(word);
  const unit = unitMicros[parts?.[2] ?? ''];
  return parts === null || unit === undefined ? words.fail(`takes ${word} for a duration`) : Number(parts[1]) * unit;
}
