/** Fingerprints of 64 bits, in two lanes of 32: integer arithmetic alone, so that every engine agrees. */
import { firstIncarnation, firstServer, token } from './encoding.ts';

/** Two 32-bit numbers. */
export interface Lanes {
  a: number;
  b: number;
}

const maxDepth = 32;
/** Where sets are open: the lanes before, and the sum of the members so far. */
const stack = new Int32Array(maxDepth * 6);

const seedA = 0x2545f491;
const seedB = 0x6a09e667;

/** The fingerprint of a token list, its servers renamed. Members of sets are summed, so that their order does not show. */
export function lanesOf(tokens: Int32Array, renaming: Uint8Array, into: Lanes): void {
  hash(tokens, renaming, -1, into);
}

/** The same whatever the servers are called: all it sees of a name is whether it is `self`. */
export function signatureOf(tokens: Int32Array, self: number, into: Lanes): void {
  hash(tokens, null, self, into);
}

function hash(tokens: Int32Array, renaming: Uint8Array | null, self: number, into: Lanes): void {
  let a = seedA;
  let b = seedB;
  let depth = 0;
  const count = tokens.length;
  for (let at = 0; at < count; at++) {
    let word = tokens[at] as number;
    if (word < 0) {
      if (word <= firstServer) {
        const first = word <= firstIncarnation ? firstIncarnation : firstServer;
        const server = first - word;
        word = renaming === null ? first - (server === self ? 1 : 0) : first - (renaming[server] as number);
      } else if (word === token.set) {
        // [a, b, sum a, sum b, is a member open] of the set that begins.
        const top = depth * 5;
        stack[top] = a;
        stack[top + 1] = b;
        stack[top + 2] = 0;
        stack[top + 3] = 0;
        stack[top + 4] = 0;
        depth += 1;
        continue;
      } else if (word === token.member || word === token.setEnd) {
        const top = (depth - 1) * 5;
        if (stack[top + 4] === 1) {
          stack[top + 2] = ((stack[top + 2] as number) + finish(a, b)) | 0;
          stack[top + 3] = ((stack[top + 3] as number) + finish(b, a ^ seedB)) | 0;
        }
        stack[top + 4] = 1;
        if (word === token.member) {
          a = seedB;
          b = seedA;
          continue;
        }
        a = mixA(stack[top] as number, stack[top + 2] as number);
        b = mixB(stack[top + 1] as number, stack[top + 3] as number);
        depth -= 1;
      }
    }
    a = mixA(a, word);
    b = mixB(b, word);
  }
  into.a = finish(a, b);
  into.b = finish(b, a ^ seedB);
}

/** One round of MurmurHash3, with constants of their own for each lane. */
export function mixA(lane: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51 | 0);
  mixed = (mixed << 15) | (mixed >>> 17);
  const next = lane ^ Math.imul(mixed, 0x1b873593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + (0xe6546b64 | 0)) | 0;
}

export function mixB(lane: number, word: number): number {
  let mixed = Math.imul(word, 0x85ebca77 | 0);
  mixed = (mixed << 16) | (mixed >>> 16);
  const next = lane ^ Math.imul(mixed, 0x9e3779b1 | 0);
  return (Math.imul((next << 15) | (next >>> 17), 9) + (0x38b34ae5 | 0)) | 0;
}

/** Spreads both lanes over one. */
export function finish(lane: number, other: number): number {
  let mixed = lane ^ Math.imul(other, 0x27d4eb2f);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b | 0);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35 | 0);
  return mixed ^ (mixed >>> 16);
}
