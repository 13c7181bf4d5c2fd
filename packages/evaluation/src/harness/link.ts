/** One direction of a relayed connection: bytes leave in their order, each after the delay that held when it came. */
import type { Socket } from 'node:net';
import type { RandomStream } from '@quorate/sim';

/** What is wrong with the way from one server to another. */
export interface LinkFault {
  /** One way. Milliseconds. */
  readonly delayMs: number;
  /** Of a hundred chunks, how many are lost once: what TCP makes of that is a pause of `RETRANSMISSION_MS` for all behind it. */
  readonly lossPercent: number;
  /** Nothing arrives, nothing is refused, until the cut heals; then what was sent meanwhile arrives, as TCP would send it again. */
  readonly cut: boolean;
}

export const SOUND: LinkFault = { delayMs: 0, lossPercent: 0, cut: false };

/** Linux sends again after at least this long. */
export const RETRANSMISSION_MS = 200;
/** Bytes that a link holds before it stops reading: what a long fat pipe, and the buffers at its ends, would. */
export const MAX_HELD_BYTES = 4 << 20;

interface Held {
  readonly due: number;
  /** Null: the sender has ended the connection. */
  readonly bytes: Buffer | null;
}

export class Link {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #fault: () => LinkFault;
  readonly #random: RandomStream;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #lastDue = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(source: Socket, target: Socket, fault: () => LinkFault, random: RandomStream) {
    this.#source = source;
    this.#target = target;
    this.#fault = fault;
    this.#random = random;
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.on('end', () => this.#take(null));
    target.on('drain', () => this.#pump());
  }

  /** Looks anew at what is wrong: called when faults change. */
  refresh(): void {
    this.#pump();
  }

  get isCut(): boolean {
    return this.#fault().cut;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #take(bytes: Buffer | null): void {
    if (this.#closed) return;
    const { delayMs, lossPercent } = this.#fault();
    const lost = lossPercent > 0 && this.#random.below(1000) < lossPercent * 10;
    const due = performance.now() + delayMs + (lost ? RETRANSMISSION_MS : 0);
    this.#lastDue = Math.max(this.#lastDue, due);
    this.#held.push({ due: this.#lastDue, bytes });
    this.#heldBytes += bytes?.length ?? 0;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#source.pause();
    this.#pump();
  }

  #pump(): void {
    if (this.#closed || this.#fault().cut) return;
    let first = this.#held[0];
    while (first !== undefined && first.due <= performance.now() && !this.#target.writableNeedDrain) {
      this.#held.shift();
      this.#pass(first.bytes);
      first = this.#held[0];
    }
    if (this.#heldBytes < MAX_HELD_BYTES / 2) this.#source.resume();
    if (first === undefined || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, first.due - performance.now()));
  }

  #wake(): void {
    this.#timer = null;
    this.#pump();
  }

  #pass(bytes: Buffer | null): void {
    this.#heldBytes -= bytes?.length ?? 0;
    if (bytes === null) this.#target.end();
    else this.#target.write(bytes);
  }
}
