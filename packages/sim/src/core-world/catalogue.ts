/**
 * What a world and all that branch off it share: each server as it was ever found and each message that was ever sent, once, with their
 * fingerprints. A core is a function of its state and its input, so without a clock what came of a step is remembered with them as well:
 * the same step of the same server, met again in another state of the world, is looked up.
 */
import type { Message } from '@quorate/raft';
import type { Encoder } from './encoding.ts';
import { type Lanes, lanesOf, signatureOf } from './lanes.ts';
import type { CoreServer } from './server.ts';
import type { Symmetry } from './symmetry.ts';
import type { Turned } from './surroundings.ts';

/** Servers' states that are remembered, and messages, some kilobytes each; beyond it steps are made anew. */
const maxRemembered = 200_000;

/** Plain data with its fingerprints, under every renaming that was asked for. */
export class Coded {
  readonly #tokens: Int32Array;
  readonly #lanes: Int32Array;
  readonly #known: Uint8Array;

  constructor(tokens: Int32Array, renamings: number) {
    this.#tokens = tokens;
    this.#lanes = new Int32Array(2 * renamings);
    this.#known = new Uint8Array(renamings);
  }

  /** The two lanes stand at `2 * at` and behind it. */
  lanes(renamings: readonly Uint8Array[], at: number): Int32Array {
    if (this.#known[at] === 0) {
      lanesOf(this.#tokens, renamings[at] as Uint8Array, scratch);
      this.#lanes[2 * at] = scratch.a;
      this.#lanes[2 * at + 1] = scratch.b;
      this.#known[at] = 1;
    }
    return this.#lanes;
  }

  /** Whether it is the same data, under the same names. */
  isSame(other: Coded | undefined, renamings: readonly Uint8Array[]): boolean {
    const theirs = other?.lanes(renamings, 0);
    const ours = this.lanes(renamings, 0);
    return theirs !== undefined && theirs[0] === ours[0] && theirs[1] === ours[1];
  }

  signature(self: number, into: Lanes): void {
    signatureOf(this.#tokens, self, into);
  }
}

const scratch: Lanes = { a: 0, b: 0 };

/** A server as it is at some time. */
export interface Local {
  readonly record: CoreServer;
  readonly coded: Coded;
  /** The same under every renaming of the servers. */
  readonly signature: Lanes;
  /** What came of the steps that were made from here, by what was done. */
  readonly turns: Map<unknown, LocalTurn>;
}

/** A step of a server, with what it led to taken up in the catalogue. */
export interface LocalTurn {
  readonly turned: Turned;
  readonly local: Local;
  readonly letters: readonly Letter[];
}

export interface Letter {
  readonly message: Message;
  readonly coded: Coded;
}

interface Remembered {
  readonly coded: Coded;
}

export class Catalogue {
  readonly symmetry: Symmetry;
  /** Whether steps are remembered. */
  readonly isRemembering: boolean;
  readonly #encoder: Encoder;
  readonly #locals = new Map<number, Local[]>();
  readonly #letters = new Map<number, Letter[]>();
  #remembered = 0;

  constructor(symmetry: Symmetry, encoder: Encoder, isRemembering: boolean) {
    this.symmetry = symmetry;
    this.#encoder = encoder;
    this.isRemembering = isRemembering;
  }

  /** One that makes every step anew. */
  forgetful(): Catalogue {
    return new Catalogue(this.symmetry, this.#encoder, false);
  }

  code(value: unknown): Coded {
    return this.#coded(value, 0);
  }

  #coded(value: unknown, batchBase: number): Coded {
    return new Coded(this.#encoder.encode(value, batchBase), this.symmetry.renamings.length);
  }

  local(record: CoreServer, self: number): Local {
    const coded = this.#coded(record, record.durableBatch);
    const signature: Lanes = { a: 0, b: 0 };
    const known = this.#find(this.#locals, coded);
    if (known !== undefined) return known;
    coded.signature(self, signature);
    return this.#remember(this.#locals, { record, coded, signature, turns: new Map<unknown, LocalTurn>() });
  }

  letter(message: Message): Letter {
    const coded = this.#coded(message, 0);
    return this.#find(this.#letters, coded) ?? this.#remember(this.#letters, { message, coded });
  }

  #find<Kind extends Remembered>(known: ReadonlyMap<number, Kind[]>, coded: Coded): Kind | undefined {
    if (!this.isRemembering) return undefined;
    const { renamings } = this.symmetry;
    const lanes = coded.lanes(renamings, 0);
    return known.get(lanes[0] as number)?.find((each) => each.coded.lanes(renamings, 0)[1] === lanes[1]);
  }

  #remember<Kind extends Remembered>(known: Map<number, Kind[]>, kind: Kind): Kind {
    if (!this.isRemembering || this.#remembered >= maxRemembered) return kind;
    this.#remembered += 1;
    const lane = kind.coded.lanes(this.symmetry.renamings, 0)[0] as number;
    const same = known.get(lane);
    if (same === undefined) known.set(lane, [kind]);
    else same.push(kind);
    return kind;
  }
}
