/** Checks a snapshot file as its bytes arrive, in pieces of any size, and says how far it is sound. */
import { viewOf } from '../bytes.ts';
import { crc32c } from '../crc32c.ts';
import {
  decodeFooter,
  decodeSnapshotHeader,
  FOOTER_BYTES,
  FRAME_HEADER_BYTES,
  HEADER_START_BYTES,
  headerLength,
  isFooter,
  MAX_SLICE_BYTES,
  type SnapshotHeader,
} from './format.ts';

interface FrameInProgress {
  readonly length: number;
  readonly stated: number;
  left: number;
  checksum: number;
}

export class SnapshotVerifier {
  /** Known once its bytes have come. */
  header: SnapshotHeader | null = null;
  /** What is wrong; nothing more is taken then. */
  problem: string | null = null;
  /** The footer has come and agrees with everything before it. */
  complete = false;
  /** Bytes up to here form whole, sound frames. */
  soundBytes = 0;
  #pending: Uint8Array = new Uint8Array(0);
  #chain = 0;
  #slices = 0;
  #bytes = 0;
  /** The frame that is coming in: its payload still to come, the checksum so far, and the one it states. */
  #frame: FrameInProgress | null = null;

  push(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0 && this.problem === null) {
      if (this.complete) {
        this.problem = 'bytes follow its footer';
      } else if (this.#frame !== null) {
        rest = this.#takeSlice(this.#frame, rest);
      } else {
        rest = this.#takeBlock(rest);
      }
    }
  }

  /** Forgets what came behind the last sound frame: its bytes will come again. */
  rewind(): void {
    this.problem = null;
    this.#pending = new Uint8Array(0);
    this.#frame = null;
  }

  /** Goes on through a slice without keeping it. */
  #takeSlice(frame: FrameInProgress, bytes: Uint8Array): Uint8Array {
    const taken = Math.min(frame.left, bytes.length);
    frame.checksum = crc32c(bytes, 0, taken, frame.checksum);
    frame.left -= taken;
    if (frame.left === 0) this.#endFrame(frame);
    return bytes.subarray(taken);
  }

  #endFrame(frame: FrameInProgress): void {
    this.#frame = null;
    if (frame.checksum !== frame.stated) {
      this.problem = `slice ${this.#slices + 1} does not match its checksum`;
      return;
    }
    this.#chain = frame.checksum;
    this.#slices += 1;
    this.#bytes += frame.length;
    this.soundBytes += FRAME_HEADER_BYTES + frame.length;
  }

  /** Gathers the file's header, a frame's header or the footer until it is whole. Returns what lies behind it. */
  #takeBlock(bytes: Uint8Array): Uint8Array {
    const had = this.#pending.length;
    const wanted = this.#wanted();
    const taken = Math.min(wanted - had, bytes.length);
    this.#pending = concat(this.#pending, bytes.subarray(0, taken));
    if (this.#pending.length === wanted && this.#wanted() === wanted) {
      const block = this.#pending;
      this.#pending = new Uint8Array(0);
      if (this.header === null) this.#takeHeader(block);
      else this.#takeFrameHeader(block);
    }
    return bytes.subarray(taken);
  }

  /** How long the block must be that is gathered now. Grows as its first bytes tell more. */
  #wanted(): number {
    const pending = this.#pending;
    if (this.header === null) {
      if (pending.length < HEADER_START_BYTES) return HEADER_START_BYTES;
      const length = headerLength(pending);
      return typeof length === 'number' ? length : HEADER_START_BYTES;
    }
    if (pending.length < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES;
    return isFooter(viewOf(pending).getUint32(0, true)) ? FOOTER_BYTES : FRAME_HEADER_BYTES;
  }

  #takeHeader(block: Uint8Array): void {
    const header = decodeSnapshotHeader(block);
    if (typeof header === 'string') {
      this.problem = header === 'version' ? 'its format is not known to this version' : 'its header is damaged';
      return;
    }
    this.header = header;
    this.#chain = header.chain;
    this.soundBytes = header.length;
  }

  #takeFrameHeader(block: Uint8Array): void {
    const view = viewOf(block);
    const length = view.getUint32(0, true);
    if (isFooter(length)) return this.#takeFooter(block);
    if (length > MAX_SLICE_BYTES) {
      this.problem = `slice ${this.#slices + 1} claims ${length} bytes, more than ${MAX_SLICE_BYTES}`;
      return;
    }
    const checksum = crc32c(block, 0, 4, this.#chain);
    this.#frame = { length, left: length, checksum, stated: view.getUint32(4, true) };
    if (length === 0) this.#endFrame(this.#frame);
  }

  #takeFooter(block: Uint8Array): void {
    const totals = decodeFooter(block, this.#chain);
    if (totals === null || totals.slices !== this.#slices || totals.bytes !== this.#bytes) {
      this.problem = 'its footer does not match what comes before it';
      return;
    }
    this.complete = true;
    this.soundBytes += FOOTER_BYTES;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
