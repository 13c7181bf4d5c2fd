/**
 * Which commands have been applied, so that none is applied twice. An origin numbers its commands upward; they may reach
 * the log out of order, so for each origin the last `windowSize` numbers are remembered one by one, and everything older
 * counts as applied. Part of the replicated state: every replica judges alike.
 */
import type { ByteReader, ByteWriter } from '../byte-stream.ts';
import { type Origin, sameOrigin } from './envelope.ts';

/** Numbers remembered for one origin. Far above what an origin may have in flight. */
export const windowSize = 65_536;
/** Origins remembered: servers in each of their lives. One more pushes out the one that has been silent longest. */
export const maxOrigins = 256;

interface Window {
  readonly origin: Origin;
  /** The highest number applied. */
  highest: number;
  /** One bit for each of (highest − windowSize, highest], at number mod windowSize. */
  readonly bits: Uint8Array;
  /** Log index of the last command, by which the longest silent origin is found. */
  lastIndex: number;
}

/** Windows found without a look at the map: there are hardly ever more servers that propose at a time. */
const maxAtHand = 8;

export class AppliedCommands {
  readonly #windows = new Map<string, Window>();
  /** Those that were found last. */
  #atHand: Window[] = [];

  /** Whether the command has been applied, or is so old that it may not be any more. */
  has(origin: Origin, sequence: number): boolean {
    const window = this.#find(origin);
    if (window === null || sequence > window.highest) return false;
    return sequence <= window.highest - windowSize || getBit(window.bits, sequence);
  }

  /** Remembers a command for which `has` was false. */
  add(origin: Origin, sequence: number, index: number): void {
    const window = this.#find(origin) ?? this.#open(origin);
    if (sequence > window.highest) advance(window, sequence);
    setBit(window.bits, sequence, true);
    window.lastIndex = index;
  }

  /** The highest number of this origin that was applied; 0 if none. */
  highest(origin: Origin): number {
    return this.#find(origin)?.highest ?? 0;
  }

  write(to: ByteWriter): void {
    const windows = [...this.#windows.values()].sort((a, b) => a.lastIndex - b.lastIndex);
    to.varint(windows.length);
    for (const { origin, highest, bits, lastIndex } of windows) {
      to.u64(origin.member);
      to.u64(origin.incarnation);
      to.varint(highest);
      to.varint(lastIndex);
      writeRuns(to, bits);
    }
  }

  static read(from: ByteReader): AppliedCommands {
    const commands = new AppliedCommands();
    const count = from.varint();
    if (count > maxOrigins) from.fail(`${count} origins, more than ${maxOrigins}`);
    for (let i = 0; i < count; i++) {
      const origin = { member: from.u64(), incarnation: from.u64() };
      const window = {
        origin,
        highest: from.varint(),
        lastIndex: from.varint(),
        bits: readRuns(from),
      };
      commands.#windows.set(keyOf(origin), window);
    }
    return commands;
  }

  #find(origin: Origin): Window | null {
    for (const window of this.#atHand) if (sameOrigin(window.origin, origin)) return window;
    const window = this.#windows.get(keyOf(origin)) ?? null;
    if (window !== null) this.#keepAtHand(window);
    return window;
  }

  #keepAtHand(window: Window): void {
    if (this.#atHand.length >= maxAtHand) this.#atHand.shift();
    this.#atHand.push(window);
  }

  #open(origin: Origin): Window {
    if (this.#windows.size >= maxOrigins) this.#forgetLongestSilent();
    const window = { origin, highest: 0, bits: new Uint8Array(windowSize / 8), lastIndex: 0 };
    this.#windows.set(keyOf(origin), window);
    this.#keepAtHand(window);
    return window;
  }

  #forgetLongestSilent(): void {
    let silent: Window | null = null;
    for (const window of this.#windows.values()) {
      if (silent === null || window.lastIndex < silent.lastIndex) silent = window;
    }
    if (silent !== null) this.#windows.delete(keyOf(silent.origin));
    this.#atHand = [];
  }
}

function keyOf(origin: Origin): string {
  return `${origin.member}:${origin.incarnation}`;
}

/** Moves the window up; the numbers that it newly covers have not been applied. */
function advance(window: Window, sequence: number): void {
  if (sequence - window.highest >= windowSize) window.bits.fill(0);
  else for (let passed = window.highest + 1; passed <= sequence; passed++) setBit(window.bits, passed, false);
  window.highest = sequence;
}

function getBit(bits: Uint8Array, sequence: number): boolean {
  const place = sequence % windowSize;
  return ((bits[place >>> 3] as number) & (1 << (place & 7))) !== 0;
}

function setBit(bits: Uint8Array, sequence: number, value: boolean): void {
  const place = sequence % windowSize;
  const before = bits[place >>> 3] as number;
  bits[place >>> 3] = value ? before | (1 << (place & 7)) : before & ~(1 << (place & 7));
}

/** Runs of equal bytes: nearly always the window is full, or full up to some point. */
function writeRuns(to: ByteWriter, bits: Uint8Array): void {
  const words = new Uint32Array(bits.buffer, bits.byteOffset, bits.length / 4);
  for (let at = 0; at < bits.length; ) {
    const end = runEnd(bits, words, at);
    to.varint(end - at);
    to.byte(bits[at] as number);
    at = end;
  }
}

/** Behind the last byte of the run that begins at `at`. Four at a time: every snapshot looks at all windows before it begins. */
function runEnd(bits: Uint8Array, words: Uint32Array, at: number): number {
  const value = bits[at] as number;
  let end = at + 1;
  while (end % 4 !== 0 && bits[end] === value) end++;
  if (end % 4 !== 0) return end;
  const word = (value * 0x01010101) >>> 0;
  let next = end / 4;
  while (next < words.length && words[next] === word) next++;
  end = next * 4;
  while (end < bits.length && bits[end] === value) end++;
  return end;
}

function readRuns(from: ByteReader): Uint8Array {
  const bits = new Uint8Array(windowSize / 8);
  for (let at = 0; at < bits.length; ) {
    const length = from.varint();
    if (length === 0 || length > bits.length - at) from.fail('a window of applied commands that does not fit');
    bits.fill(from.byte(), at, at + length);
    at += length;
  }
  return bits;
}
