/**
 * One server's disk: what is durable, and the batches that are still on their way. A crash loses those, or keeps any
 * number of the first of them: written, but never reported.
 */
import { type Configuration, EntryKind, type PersistBatch, type SnapshotMetadata } from '../../src/index.ts';
import { type ChainOfSnapshot, LogImage } from './log-image.ts';

export class Disk {
  /** What a crash at this moment leaves behind. */
  durable: LogImage;
  /** What the disk holds once every batch handed to it is durable: the server's log as it sees it itself. */
  latest: LogImage;
  pending: PersistBatch[] = [];
  /** What earlier directories of this server held when they were lost. What they promised, they promised. */
  readonly lost: LogImage[] = [];
  /** The last batch that is durable and was reported. Ids begin anew with every start of the server. */
  durableId = 0;
  /** Whether a start can tell the kind of a damaged entry. */
  knowsFaultyKinds = true;
  #lastId = 0;
  readonly chainOfSnapshot: ChainOfSnapshot;

  constructor(configuration: Configuration, chainOfSnapshot: ChainOfSnapshot) {
    this.durable = new LogImage(configuration);
    this.latest = this.durable.clone();
    this.chainOfSnapshot = chainOfSnapshot;
  }

  /** Puts `image` on the disk of a server that is down. */
  format(image: LogImage): void {
    this.durable = image;
    this.latest = image.clone();
    this.pending = [];
    this.#begin();
  }

  /** The directory is gone; the next start finds an empty one. */
  lose(configuration: Configuration): void {
    this.lost.push(this.durable);
    this.format(new LogImage(configuration));
  }

  submit(batch: PersistBatch): void {
    if (batch.id <= this.#lastId) {
      throw new Error(`batch ${batch.id} came after batch ${this.#lastId}: ids must grow`);
    }
    this.#lastId = batch.id;
    this.pending.push(batch);
    this.latest.apply(batch, this.chainOfSnapshot);
  }

  /** The oldest pending batch becomes durable. */
  completeOne(): PersistBatch {
    const batch = this.pending.shift();
    if (batch === undefined) {
      throw new Error('no batch is pending');
    }
    this.durable.apply(batch, this.chainOfSnapshot);
    this.durableId = batch.id;
    return batch;
  }

  compact(snapshot: SnapshotMetadata, through: number): void {
    this.latest.compact(snapshot, through);
    // What is still on its way, or is about to be cut, cannot be forgotten on the disk yet: a later compaction will.
    let forgettable = Math.min(through, this.durable.lastIndex);
    while (forgettable > this.durable.base.index && !this.holdsDurably(forgettable)) {
      forgettable--;
    }
    this.durable.compact(snapshot, forgettable);
  }

  /** Whether the durable log agrees with the server's own view of it up to `index`. */
  holdsDurably(index: number): boolean {
    const chain = this.durable.chainAt(index);
    return chain !== null && (chain === this.latest.chainAt(index) || index <= this.latest.base.index);
  }

  /** The record at `index` rots. Nobody notices before it is read, or the server starts. */
  damage(index: number): void {
    this.durable.rotten.add(index);
    this.latest.rotten.add(index);
  }

  /** Whether damage at `index` leaves the server in doubt about its configuration. */
  wouldHide(index: number): boolean {
    return !this.knowsFaultyKinds || this.durable.entryAt(index)?.kind === EntryKind.configuration;
  }

  get hidesConfiguration(): boolean {
    const { faulty, rotten } = this.durable;
    return [...faulty, ...rotten].some((index) => this.wouldHide(index));
  }

  /** A read met a damaged record. */
  notice(index: number): void {
    for (const image of [this.durable, this.latest]) {
      if (image.rotten.delete(index)) {
        image.faulty.add(index);
      }
    }
  }

  /** The server stops. The first `survivors` pending batches had reached the disk all the same. */
  crash(survivors: number): void {
    for (const batch of this.pending.slice(0, survivors)) {
      this.durable.apply(batch, this.chainOfSnapshot);
    }
    this.pending = [];
    this.latest = this.durable.clone();
    this.#begin();
  }

  #begin(): void {
    this.durableId = 0;
    this.#lastId = 0;
  }
}
