/**
 * Writes that were confirmed and did not land where they should. The reader sees them until a later write of the same file is
 * durable: then what stood there before comes back. A lost *newest* write looks to everybody like one that a crash cut off before
 * its sync, which no log in one place can notice; so no fault model that is to be survived may contain it.
 */
import type { Damage } from '../watch.ts';
import type { DamagePolicy } from './damage-policy.ts';
import type { VirtualFile } from './file.ts';

interface Misfortune {
  readonly kind: 'lostWrite' | 'misdirectedWrite';
  readonly file: VirtualFile;
  readonly path: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** What the disk holds there in truth. */
  readonly before: Uint8Array;
  /** Where in the file a misdirected write went: before its place, so that what proves the loss is left. Null for one that is lost. */
  readonly landing: number | null;
  /** The write has been synced. */
  synced: boolean;
  /** A write behind it has been made. */
  followed: boolean;
}

export class Misfortunes {
  #waiting: Misfortune[] = [];
  readonly #policy: DamagePolicy;
  readonly #onDamage: (damage: Damage) => void;

  constructor(policy: DamagePolicy, onDamage: (damage: Damage) => void) {
    this.#policy = policy;
    this.#onDamage = onDamage;
  }

  /** Called before the bytes are written. `landing` is null for a write that is lost. */
  strike(file: VirtualFile, path: string, offset: number, bytes: Uint8Array, landing: number | null): void {
    this.#waiting.push({
      kind: landing === null ? 'lostWrite' : 'misdirectedWrite',
      file,
      path,
      offset,
      bytes,
      before: padded(file.durable.read(offset, bytes.length), bytes.length),
      landing,
      synced: false,
      followed: false,
    });
  }

  /** A write, told apart from one that was struck itself. */
  onWrite(file: VirtualFile, offset: number, length: number): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => {
      if (each.file !== file) return true;
      if (offset < each.offset + each.bytes.length && each.offset < offset + length) return false;
      if (each.synced && offset > each.offset) each.followed = true;
      return true;
    });
  }

  onSync(file: VirtualFile): void {
    if (this.#waiting.length === 0) return;
    const due = this.#waiting.filter((each) => each.file === file && each.followed);
    this.#waiting = this.#waiting.filter((each) => !due.includes(each));
    for (const each of this.#waiting) if (each.file === file) each.synced = true;
    for (const each of due) this.#show(each);
  }

  #show(misfortune: Misfortune): void {
    const { kind, file, path, offset, bytes, before, landing } = misfortune;
    const { length } = bytes;
    const content = file.durable;
    if (content.length < offset + length || file.isDirty(offset, length)) return;
    if (landing === null) {
      if (!this.#policy.mayDamage({ path, offset, length, content }, true)) return;
    } else {
      if (landing + length > offset || file.isDirty(landing, length)) return;
      const landed = { path, offset: landing, length, content };
      if (!this.#policy.mayDamage({ path, offset, length, content }, true, landed)) return;
      file.overwriteAtRest(landing, bytes);
    }
    file.overwriteAtRest(offset, before);
    this.#onDamage({ kind, path, offset, length });
    if (landing !== null) this.#onDamage({ kind, path, offset: landing, length });
  }
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
}
