/** The fingerprint of a whole world, put together from those of its parts: only what a step touched is looked at anew. */
import type { Coded, Letter, Local } from './catalogue.ts';
import { finish, type Lanes, mixA, mixB } from './lanes.ts';
import type { Symmetry } from './symmetry.ts';

interface Sent {
  readonly letter: Letter;
}

/** The smallest that any renaming of the servers gives; of those, only the ones are tried that put signatures in order. */
export function fingerprintOf(
  symmetry: Symmetry,
  locals: readonly Local[],
  flights: readonly Sent[],
  ghost: Coded,
  used: readonly number[],
  cuts: readonly number[],
  servers: number,
  into: Lanes,
): void {
  const { renamings } = symmetry;
  for (const [at, { signature }] of locals.entries()) {
    signatures[2 * at] = signature.a;
    signatures[2 * at + 1] = signature.b;
  }
  let isFirst = true;
  for (const at of symmetry.candidates(signatures)) {
    sumOf(renamings, at, locals, flights, ghost, cuts, servers);
    if (isFirst || sum.a < into.a || (sum.a === into.a && sum.b < into.b)) {
      into.a = sum.a;
      into.b = sum.b;
    }
    isFirst = false;
  }
  let { a, b } = into;
  for (const count of used) {
    a = mixA(a, count);
    b = mixB(b, count);
  }
  into.a = finish(a, b);
  into.b = finish(b, a);
}

const signatures = new Int32Array(32);
const sum: Lanes = { a: 0, b: 0 };

/** Sums: neither the order of the servers nor that of the messages shows. Each server's part bears its name. */
function sumOf(
  renamings: readonly Uint8Array[],
  at: number,
  locals: readonly Local[],
  flights: readonly Sent[],
  ghost: Coded,
  cuts: readonly number[],
  servers: number,
): void {
  const told = ghost.lanes(renamings, at);
  let a = told[2 * at] as number;
  let b = told[2 * at + 1] as number;
  for (const { coded } of locals) {
    const lanes = coded.lanes(renamings, at);
    a = (a + (lanes[2 * at] as number)) | 0;
    b = (b + (lanes[2 * at + 1] as number)) | 0;
  }
  for (const { letter } of flights) {
    const lanes = letter.coded.lanes(renamings, at);
    a = (a + (lanes[2 * at] as number)) | 0;
    b = (b + (lanes[2 * at + 1] as number)) | 0;
  }
  for (const link of cuts) {
    const renaming = renamings[at] as Uint8Array;
    const from = renaming[Math.floor(link / servers)] as number;
    const to = renaming[link % servers] as number;
    a = (a + finish(cutA, from * servers + to)) | 0;
    b = (b + finish(cutB, from * servers + to)) | 0;
  }
  sum.a = a;
  sum.b = b;
}

const cutA = 0x3c6ef372;
const cutB = 0x1f83d9ab;
