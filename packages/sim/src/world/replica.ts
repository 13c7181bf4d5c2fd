/** One server's state machine, watched: what it applied, and that its snapshots say the same as everybody's. */
import type { KvStateMachine } from '@quorate/kv';
import { ReplicatedStore } from '@quorate/kv';
import {
  type CommittedCommand,
  continueApply,
  type SnapshotSink,
  type SnapshotSource,
  type StateMachine,
} from '@quorate/runtime';
import { type AppliedEntry, Violation } from '../watch.ts';
import { emptyHash, hashBytes, hashNumber } from './hash.ts';

/** What the state must be after each command, whoever says it first: a digest of all commands, and the bytes of a snapshot there. */
export class Consensus {
  readonly #digests = new Map<number, { readonly digest: number; readonly by: string; readonly data: Uint8Array }>();
  /** By the digest of the state that they hold: the index of a snapshot may be that of an entry without a command. */
  readonly #snapshots = new Map<number, { readonly hash: number; readonly by: string }>();

  /** @throws Violation (C8) if another server had another state behind the command at `index`. */
  applied(server: string, index: number, digest: number, data: Uint8Array): void {
    const known = this.#digests.get(index);
    if (known === undefined) {
      this.#digests.set(index, { digest, by: server, data });
      return;
    }
    if (known.digest === digest) return;
    const first = `${known.by} had the state ${known.digest} after entry ${index}`;
    throw new Violation('C8', first, `${server} has ${digest}`);
  }

  /** Every command that any server applied, in the order of the log. */
  commands(): readonly { readonly index: number; readonly data: Uint8Array }[] {
    return [...this.#digests].map(([index, { data }]) => ({ index, data })).toSorted((a, b) => a.index - b.index);
  }

  /** The digest behind the last command up to `index`. */
  digestAt(index: number): number {
    for (let at = index; at > 0; at--) {
      const known = this.#digests.get(at);
      if (known !== undefined) return known.digest;
    }
    return emptyHash;
  }

  /** @throws Violation (E2) if another server makes a snapshot with other bytes of the same state. */
  snapshot(server: string, digest: number, hash: number): void {
    const known = this.#snapshots.get(digest);
    if (known === undefined) {
      this.#snapshots.set(digest, { hash, by: server });
      return;
    }
    if (known.hash === hash) return;
    const first = `${known.by} makes a snapshot of the state ${digest} with hash ${known.hash}`;
    throw new Violation('E2', first, `${server}'s has hash ${hash}`);
  }
}

export interface ReplicaHost {
  onApply(entry: AppliedEntry): void;
  onRestore(index: number, digest: number): void;
  /** Notes a violation, and throws it. */
  guarded(check: () => void): void;
}

export class Replica implements StateMachine {
  readonly kind = 'memory';
  digest = emptyHash;
  readonly #server: string;
  readonly #machine: KvStateMachine;
  readonly #store: ReplicatedStore<typeof continueApply>;
  readonly #consensus: Consensus;
  readonly #host: ReplicaHost;

  constructor(server: string, machine: KvStateMachine, consensus: Consensus, host: ReplicaHost) {
    this.#server = server;
    this.#machine = machine;
    this.#store = new ReplicatedStore(machine, continueApply);
    this.#consensus = consensus;
    this.#host = host;
  }

  appliedIndex(): number {
    return this.#store.appliedIndex();
  }

  apply(command: CommittedCommand): unknown {
    const result = this.#store.apply(command);
    if (result === continueApply) return result;
    const { index, term, data } = command;
    this.digest = hashBytes(hashNumber(hashNumber(this.digest, index), term), data);
    this.#host.guarded(() => this.#consensus.applied(this.#server, index, this.digest, data));
    this.#host.onApply({ index, term, data, digest: this.digest });
    return result;
  }

  openSnapshot(): SnapshotSource {
    const { digest } = this;
    const source = this.#store.openSnapshot();
    let hash = emptyHash;
    return {
      next: () => {
        const slice = source.next();
        if (slice !== null) hash = hashBytes(hash, slice);
        else this.#host.guarded(() => this.#consensus.snapshot(this.#server, digest, hash));
        return slice;
      },
      close: () => source.close(),
    };
  }

  beginRestore(): SnapshotSink {
    const sink = this.#store.beginRestore();
    return {
      write: (slice) => sink.write(slice),
      finish: (index) => {
        sink.finish(index);
        this.#onRestored();
      },
      abort: () => sink.abort(),
    };
  }

  /** The hash of the snapshot that the present state makes. */
  stateHash(): number {
    const source = this.#store.openSnapshot();
    let hash = emptyHash;
    for (let slice = source.next(); slice !== null; slice = source.next()) hash = hashBytes(hash, slice);
    source.close();
    return hash;
  }

  #onRestored(): void {
    const index = this.#machine.appliedIndex();
    this.digest = this.#consensus.digestAt(index);
    this.#host.guarded(() => this.#consensus.snapshot(this.#server, this.digest, this.stateHash()));
    this.#host.onRestore(index, this.digest);
  }
}
