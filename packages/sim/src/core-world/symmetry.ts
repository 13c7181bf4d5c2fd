/**
 * States that differ only in which server is called what are the same to every rule of Raft. So a state stands for all that come of it
 * by giving its servers other names, and its fingerprint is that of the one form on which all of them agree.
 */
import type { MemberId } from '@quorate/raft';
import type { ChangeOffer, Setting } from './options.ts';

/** Orders of more servers than this are too many to keep fingerprints for. */
const maxSymmetric = 5;

export class Symmetry {
  /** Every renaming that leaves the setting as it is: server number i becomes number `[i]`. The first changes nothing. */
  readonly renamings: readonly Uint8Array[];
  /** Of each server: which ones it may be exchanged with. Equal numbers may. */
  readonly #classes: readonly number[];
  readonly #byCode = new Map<number, number>();
  readonly #size: number;

  constructor({ ids, voters, learners, changes, symmetry }: Setting) {
    this.#size = ids.length;
    const kinds = ids.map((id) => kindOf(id, voters, learners, changes));
    const isExchanged = symmetry && ids.length <= maxSymmetric;
    this.#classes = kinds.map((kind, at) => (isExchanged ? kinds.indexOf(kind) : at));
    this.renamings = renamings(this.#classes);
    for (const [at, renaming] of this.renamings.entries()) this.#byCode.set(this.#codeOf(renaming), at);
  }

  #codeOf(renaming: Uint8Array): number {
    let code = 0;
    for (const to of renaming) code = code * this.#size + to;
    return code;
  }

  /**
   * The renamings under which the servers stand in the order of their signatures, within each class; several, where signatures are
   * equal. `signatures` has two numbers for each server.
   */
  candidates(signatures: Int32Array): readonly number[] {
    if (this.renamings.length === 1) return onlyFirst;
    const size = this.#size;
    // How many of its class stand before each server, for certain; servers that are level with it may stand on either side.
    const places = new Uint8Array(size);
    let ties = false;
    for (let at = 0; at < size; at++) {
      let place = 0;
      for (let other = 0; other < size; other++) {
        if (other === at || this.#classes[other] !== this.#classes[at]) continue;
        const order = compare(signatures, other, at);
        if (order < 0) place += 1;
        else if (order === 0) ties = true;
      }
      places[at] = place;
    }
    return ties ? this.#allOf(places) : [this.#one(places)];
  }

  /** The renaming that puts each server at its place among the numbers of its class. */
  #one(places: Uint8Array): number {
    let code = 0;
    for (let at = 0; at < this.#size; at++) code = code * this.#size + this.#numberAt(at, places[at] ?? 0);
    return this.#byCode.get(code) ?? 0;
  }

  #numberAt(at: number, place: number): number {
    let left = place;
    for (let number = 0; number < this.#size; number++) {
      if (this.#classes[number] !== this.#classes[at]) continue;
      if (left === 0) return number;
      left -= 1;
    }
    return at;
  }

  /** All that keep to the order of the places: level servers share the numbers from their place on, in any order. */
  #allOf(places: Uint8Array): readonly number[] {
    const found: number[] = [];
    for (const [number, renaming] of this.renamings.entries()) if (this.#keeps(renaming, places)) found.push(number);
    return found;
  }

  #keeps(renaming: Uint8Array, places: Uint8Array): boolean {
    for (let a = 0; a < this.#size; a++) {
      for (let b = 0; b < this.#size; b++) {
        if (this.#classes[a] !== this.#classes[b] || (places[a] ?? 0) >= (places[b] ?? 0)) continue;
        if ((renaming[a] ?? 0) > (renaming[b] ?? 0)) return false;
      }
    }
    return true;
  }
}

const onlyFirst: readonly number[] = [0];

function compare(signatures: Int32Array, a: number, b: number): number {
  const first = (signatures[2 * a] ?? 0) - (signatures[2 * b] ?? 0);
  return first === 0 ? (signatures[2 * a + 1] ?? 0) - (signatures[2 * b + 1] ?? 0) : first;
}

/** Whom the setting names in the same way may be exchanged. */
function kindOf(
  id: MemberId,
  voters: readonly MemberId[],
  learners: readonly MemberId[],
  changes: readonly ChangeOffer[],
): string {
  const role = voters.includes(id) ? 'voter' : learners.includes(id) ? 'learner' : 'spare';
  const offers = changes
    .filter((offer) => offer.member === id)
    .map((offer) => (offer.op === 'add' ? `add ${offer.voter}` : offer.op));
  return [role, ...offers.sort()].join(',');
}

function renamings(classes: readonly number[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  const chosen: number[] = [];
  const choose = (at: number): void => {
    if (at === classes.length) {
      found.push(Uint8Array.from(chosen));
      return;
    }
    for (const [number, kind] of classes.entries()) {
      if (kind !== classes[at] || chosen.includes(number)) continue;
      chosen.push(number);
      choose(at + 1);
      chosen.pop();
    }
  };
  choose(0);
  return found;
}
