/**
 * A storage lives through random work, cut off anywhere, beside a model of what it has promised. After a crash there are at most two
 * things it may be: what was acknowledged, or that and the one change that was in flight.
 */
import type { Entry, HardState, PersistBatch, SnapshotMetadata } from '@quorate/raft';
import { viewOf } from '../../src/bytes.ts';
import { encodeFooter, encodeSnapshotHeader, FRAME_HEADER_BYTES, sealFrame } from '../../src/snapshots/format.ts';
import type { OpenedStorage, SnapshotReceiver, StorageError } from '../../src/storage.ts';
import { batch, creation, entry, type StorageWorld } from './storage-world.ts';

type Draw = (bound: number) => number;

export interface ModelState {
  readonly hardState: HardState;
  /** Entry i stands at place i - 1 - base. */
  readonly log: readonly Entry[];
  readonly base: { readonly index: number; readonly term: number };
  readonly snapshot: { readonly index: number; readonly term: number };
}

export const firstState: ModelState = {
  hardState: creation.hardState,
  log: [],
  base: { index: 0, term: 0 },
  snapshot: { index: 0, term: 0 },
};

export class StorageLife {
  /** What the storage may be when it is opened next. */
  possible: readonly ModelState[];
  readonly #world: StorageWorld;
  readonly #draw: Draw;
  readonly #opened: OpenedStorage;
  #salt = 0;

  constructor(world: StorageWorld, opened: OpenedStorage, state: ModelState, draw: Draw) {
    this.#world = world;
    this.#opened = opened;
    this.possible = [state];
    this.#draw = draw;
  }

  get state(): ModelState {
    return this.possible[0] ?? firstState;
  }

  /** Does one random thing; false once the disk has died. */
  act(): boolean {
    const choice = this.#draw(60);
    if (choice < 6) return this.#snapshotAndCompact(0);
    if (choice < 9) return this.#install();
    if (choice < 10) return this.#snapshotAndCompact(1 + this.#draw(2));
    if (choice < 16) return this.#readBack();
    return this.#append([this.#nextBatch()]);
  }

  /** Makes a second change on top of what one batch would leave, so that one write holds several. */
  #append(batches: readonly PersistBatch[]): boolean {
    let next = batches.reduce(applied, this.state);
    const all = [...batches];
    while (this.#draw(4) === 0) {
      const more = this.#nextBatch(next);
      all.push(more);
      next = applied(next, more);
    }
    this.possible = [this.state, next];
    return this.#settle((done) => this.#opened.storage.append(all, done), next);
  }

  #nextBatch(state = this.state): PersistBatch {
    const cuts = this.#draw(5) === 0;
    // What comes in place of others is of another term: index and term say which entry it is (§5.3).
    const term = Math.max(1, state.hardState.term) + (cuts || this.#draw(4) === 0 ? 1 : 0);
    const vote = ['b', 'c', null][this.#draw(3)] ?? null;
    const lastIndex = state.base.index + state.log.length;
    // What a snapshot covers is committed and never cut.
    const from = cuts ? Math.max(state.snapshot.index + 1, lastIndex + 1 - this.#draw(12)) : lastIndex + 1;
    const bytes = [0, 5, 100, 700, 3000][this.#draw(5)] ?? 0;
    const added = Array.from({ length: this.#draw(12) }, (_, at) => this.#entry(from + at, term, bytes));
    const changed = term !== state.hardState.term || this.#draw(3) === 0;
    return batch({
      hardState: changed ? { term, vote } : null,
      truncateFrom: from <= lastIndex ? from : 0,
      entries: added,
    });
  }

  #entry(index: number, term: number, bytes: number): Entry {
    this.#salt += 1;
    return { ...entry(index, term, bytes), data: entry(this.#salt, term, bytes).data };
  }

  /** A snapshot of the server's own state; `ahead` entries beyond what its own disk has, as a majority may have committed them. */
  #snapshotAndCompact(ahead: number): boolean {
    const { base, log, snapshot } = this.state;
    const last = base.index + log.length;
    const index = ahead > 0 ? last + ahead : snapshot.index + this.#draw(last - snapshot.index + 1);
    if (index <= snapshot.index) return true;
    const term = termAt(this.state, index) ?? Math.max(1, this.state.hardState.term);
    const metadata = this.#metadata(index, term);
    const after = aligned({ ...this.state, snapshot: { index, term } });
    this.possible = [this.state, after];
    const writer = this.#opened.storage.createSnapshot(metadata);
    if (!this.#settle((done) => writer.write(new Uint8Array(1000), done), this.state)) return false;
    this.possible = [this.state, after];
    if (!this.#settle((done) => writer.commit(done), after)) return false;
    // A server whose log is behind its snapshot would have it from then on in memory only: here it is restarted instead.
    if (ahead > 0) return false;
    return this.#settle((done) => this.#opened.storage.compact(index - this.#draw(5), done), after);
  }

  /** Reads a part of the log while it lives. What a compaction has removed is refused, never wrong. */
  #readBack(): boolean {
    const { base, log } = this.state;
    if (log.length === 0) return true;
    const from = this.#draw(log.length);
    const to = from + this.#draw(log.length - from);
    const answers: { code: string | null; found: readonly Entry[] }[] = [];
    this.#opened.storage.read(base.index + 1 + from, base.index + 1 + to, 1 << 30, (error, found) =>
      answers.push({ code: error?.code ?? null, found }),
    );
    while (answers.length === 0 && this.#world.step());
    const [answer] = answers;
    if (answer === undefined) return false;
    if (answer.code === 'Compacted' && base.index + 1 + from <= this.state.snapshot.index) return true;
    if (answer.code !== null || !sameEntries(answer.found, log.slice(from, to + 1))) {
      throw new Error(`Reading back ${from} to ${to} gave ${answer.code ?? 'other entries than were written'}.`);
    }
    return true;
  }

  #install(): boolean {
    const index = this.state.base.index + this.state.log.length + this.#draw(20) - 5;
    if (index <= this.state.snapshot.index) return true;
    const term = this.state.hardState.term + 1;
    const metadata = this.#metadata(index, term);
    const file = snapshotFile(metadata);
    const receiver = this.#receive(metadata, file.length);
    if (receiver === null) return false;
    if (receiver.offset < file.length) {
      const rest = file.slice(receiver.offset);
      if (!this.#settle((done) => receiver.write(rest, done), this.state)) return false;
    }
    if (!this.#settle((done) => receiver.finish(done), this.state)) return false;
    const followed = Array.from({ length: this.#draw(3) }, (_, at) => this.#entry(index + 1 + at, term, 50));
    return this.#append([batch({ hardState: { term, vote: null }, snapshot: metadata, entries: followed })]);
  }

  #receive(metadata: SnapshotMetadata, totalBytes: number): SnapshotReceiver | null {
    const received: SnapshotReceiver[] = [];
    const alive = this.#settle(
      (done) =>
        this.#opened.storage.receiveSnapshot(metadata, totalBytes, (error, receiver) => {
          if (receiver !== null) received.push(receiver);
          done(error);
        }),
      this.state,
    );
    return alive ? (received[0] ?? null) : null;
  }

  #metadata(index: number, term: number): SnapshotMetadata {
    return { index, term, configuration: creation.configuration };
  }

  /** Waits for an acknowledgement: `next` is then what is promised. */
  #settle(begin: (done: (error: StorageError | null) => void) => void, next: ModelState): boolean {
    const answers: (StorageError | null)[] = [];
    begin((error) => answers.push(error));
    while (answers.length === 0 && this.#world.step());
    if (this.#world.disk.crashed || answers.length === 0) return false;
    const [error] = answers;
    if (error !== null && error !== undefined) throw new Error(`${error.code}: ${error.message}`);
    this.possible = [next];
    return true;
  }
}

/** The state after a batch. */
function applied(state: ModelState, change: PersistBatch): ModelState {
  const hardState = change.hardState ?? state.hardState;
  if (change.snapshot !== null) {
    const { index, term } = change.snapshot;
    return { hardState, log: change.entries, base: { index, term }, snapshot: { index, term } };
  }
  const kept = change.truncateFrom === 0 ? state.log : state.log.slice(0, change.truncateFrom - 1 - state.base.index);
  return { ...state, hardState, log: [...kept, ...change.entries] };
}

/** What opening makes of a snapshot that the log does not reach. */
function aligned(state: ModelState): ModelState {
  const { snapshot, hardState } = state;
  if (termAt(state, snapshot.index) === snapshot.term) return state;
  const raised = hardState.term >= snapshot.term ? hardState : { term: snapshot.term, vote: null };
  return { hardState: raised, log: [], base: snapshot, snapshot };
}

function termAt(state: ModelState, index: number): number | null {
  if (index === state.base.index) return state.base.term;
  return state.log[index - 1 - state.base.index]?.term ?? null;
}

/** A snapshot file as another server of the cluster would have it. */
export function snapshotFile(metadata: SnapshotMetadata, slices = [new Uint8Array(3000).fill(7)]): Uint8Array {
  const header = encodeSnapshotHeader({ ...creation.identity, member: 'b', incarnation: '00000000000000bb' }, metadata);
  let chain = viewOf(header).getUint32(8, true);
  let bytes = 0;
  const frames = slices.map((slice) => {
    const frame = new Uint8Array(FRAME_HEADER_BYTES + slice.length);
    frame.set(slice, FRAME_HEADER_BYTES);
    chain = sealFrame(frame, chain);
    bytes += slice.length;
    return frame;
  });
  const footer = encodeFooter({ slices: slices.length, bytes }, chain);
  return new Uint8Array(Buffer.concat([header, ...frames, footer]));
}

/** Why an opened storage is not in this state, or null if it is. Reads the whole log back. */
export function difference(world: StorageWorld, opened: OpenedStorage, state: ModelState): string | null {
  const { recovered } = opened;
  const last = state.base.index + state.log.length;
  if (recovered.lastIndex !== last) return `lastIndex ${recovered.lastIndex}, not ${last}`;
  if (JSON.stringify(recovered.hardState) !== JSON.stringify(state.hardState)) {
    return `hard state ${JSON.stringify(recovered.hardState)}, not ${JSON.stringify(state.hardState)}`;
  }
  const { index, term } = recovered.snapshot;
  if (index !== state.snapshot.index || term !== state.snapshot.term) {
    return `snapshot ${index}/${term}, not ${state.snapshot.index}/${state.snapshot.term}`;
  }
  const { base } = recovered;
  if (base.index > index) return `base ${base.index} behind snapshot ${index}`;
  if (base.index < state.base.index || termAt(state, base.index) !== base.term)
    return `base ${base.index}/${base.term}`;
  const wanted = state.log.slice(base.index - state.base.index);
  const faulty = new Set(recovered.faulty.map((mark) => mark.index));
  const found: Entry[] = [];
  for (let next = base.index + 1; next <= last; ) {
    const { error, entries } = world.tryRead(opened, next, last);
    if (error !== null && (error.code !== 'FaultyEntry' || !faulty.has(next))) return error.message;
    found.push(...entries);
    next += error === null ? entries.length : 1;
  }
  const tail = recovered.tail;
  const whole = wanted.filter((each) => !faulty.has(each.index));
  if (!sameEntries(found, whole)) return 'other entries than were written';
  if (whole.length + faulty.size !== wanted.length) return 'entries are marked that were never written';
  if (!sameEntries(tail, wanted.slice(wanted.length - tail.length))) return 'another tail than was written';
  const runs = recovered.termRuns;
  const termOf = (at: number): number | undefined => runs.filter((run) => run.first <= at).at(-1)?.term;
  return wanted.every((each) => termOf(each.index) === each.term) ? null : 'other terms than were written';
}

/** The same entries, byte for byte. Much quicker than `toEqual` when there are thousands. */
export function sameEntries(a: readonly Entry[], b: readonly Entry[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((left, at) => {
    const right = b[at];
    const same =
      right !== undefined && left.index === right.index && left.term === right.term && left.kind === right.kind;
    return same && Buffer.compare(left.data, right.data) === 0;
  });
}
