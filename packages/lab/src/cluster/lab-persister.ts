import type { Persister, PlainData } from '../interface.ts';
import type { SharedValues } from '../race/shared-values.ts';
import { copyPlain, handOn } from '../plain-data.ts';

/** What of a server survives its crash. Every run of a server has its own, so an old one can save no more. */
export class LabPersister implements Persister {
  /** What is saved is not changed afterwards by who saves it, see Traits: it need not be copied. */
  isSharing = false;
  readonly #shared: SharedValues | undefined;
  #state: PlainData = null;
  #stateBytes = 0;
  #snapshot: Uint8Array | null = null;

  constructor(shared?: SharedValues) {
    this.#shared = shared;
  }

  save(state: unknown, snapshot: Uint8Array | null): void {
    const { value, bytes } = handOn(state, this.isSharing, this.#state);
    this.#shared?.handOver(state, 'the saved state');
    this.#state = value;
    this.#stateBytes = bytes;
    if (this.isSharing) this.#snapshot = snapshot;
    else if (!isSame(snapshot, this.#snapshot)) this.#snapshot = snapshot?.slice() ?? null;
  }

  readState(): unknown {
    return copyPlain(this.#state).value;
  }

  readSnapshot(): Uint8Array | null {
    return this.#snapshot?.slice() ?? null;
  }

  stateSize(): number {
    return this.#stateBytes;
  }

  snapshotSize(): number {
    return this.#snapshot?.length ?? 0;
  }

  /** As it is now; what is saved here later does not show there. */
  successor(): LabPersister {
    const next = new LabPersister(this.#shared);
    next.#state = this.#state;
    next.#stateBytes = this.#stateBytes;
    next.#snapshot = this.#snapshot;
    return next;
  }
}

/** Most saves bring the snapshot that is there: comparing it costs less than a copy, which somebody must collect again. */
function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : a.length === b.length && Buffer.compare(a, b) === 0;
}
