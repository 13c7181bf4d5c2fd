/** Life after life of one storage on one disk, and the judgement over each opening. */
import {
  type BudgetOptions,
  type CrashKind,
  DamageBudget,
  type DiskFaults,
  healthyDisk,
  randomStream,
  type VirtualDiskOptions,
  type RandomStream,
  Volume,
} from '@quorate/sim';
import type { Entry } from '@quorate/raft';
import type { OpenedStorage, StorageError } from '@quorate/runtime';
import { creation, type Opening, smallStorage, StorageBench } from './storage-bench.ts';
import { CORRUPTION, readSnapshot, StorageLife } from './storage-life.ts';
import { difference, emptyState, type StorageState } from './storage-model.ts';

export interface LivesPlan {
  readonly faults: Partial<DiskFaults>;
  /** `noticeable`: everything may be destroyed that can be noticed. */
  readonly policy: 'none' | 'noticeable';
  /** Bytes of the volume, of which others take and release any part at any time. */
  readonly capacity?: number;
}

export interface LivesResult {
  lives: number;
  appends: number;
  snapshots: number;
  installs: number;
  /** Openings that ended a directory's use, for a reason. */
  refused: number;
  damage: number;
  /** Writes that a full disk refused. */
  full: number;
}

const LIVES = 6;
const MOST_STEPS = 400;
const beyond: BudgetOptions = { servers: ['a'], lost: 0, entries: false, beyond: true };

/** Throws an Error that says what was promised and what was found. */
export function liveAll(seed: number, plan: LivesPlan): LivesResult {
  const lives = new Lives(seed, plan);
  lives.run();
  return lives.result;
}

class Lives {
  readonly result: LivesResult = { lives: 0, appends: 0, snapshots: 0, installs: 0, refused: 0, damage: 0, full: 0 };
  readonly #stream: RandomStream;
  readonly #bench: StorageBench;
  readonly #faults: DiskFaults;
  readonly #capacity: number | null;
  #possible: readonly StorageState[] = [emptyState];
  #lastCrash: CrashKind | null = null;
  /** The power was cut since the last opening that came to its end. */
  #wasCut = false;
  /** A power cut left damaged entries behind, which nobody has mended. */
  #isTorn = false;

  constructor(seed: number, plan: LivesPlan) {
    this.#stream = randomStream(seed, 'workload');
    this.#faults = { ...healthyDisk, ...plan.faults };
    const policy = new DamageBudget(this.#stream, beyond).policyOf('a');
    const disk: VirtualDiskOptions = {
      ...(plan.policy === 'none' ? {} : { policy }),
      onDamage: () => void this.result.damage++,
      onFault: (kind) => void (this.result.full += kind === 'full' ? 1 : 0),
    };
    const storage = { ...smallStorage, reserveBytes: this.#stream.pick([0, 64 << 10]) };
    this.#capacity = plan.capacity ?? null;
    this.#bench = new StorageBench(randomStream(seed, 'disk'), disk, storage, Volume.empty(plan.capacity));
  }

  run(): void {
    for (let life = 0; life < LIVES; life++) {
      // The last opening is undisturbed: whatever was promised must be there by then.
      const last = life === LIVES - 1;
      const opened = this.#openAtLast(last);
      if (opened === null) return;
      this.result.lives++;
      if (last) return;
      this.#live(opened);
    }
  }

  /** Opens, again and again where the disk or a crash prevents it. Null if damage ends the use of this directory. */
  #openAtLast(undisturbed: boolean): OpenedStorage | null {
    for (let attempt = 0; attempt < 6; attempt++) {
      const quiet = undisturbed || attempt === 5;
      if (quiet) this.#bench.disk.volume.others = 0;
      this.#bench.disk.setFaults(quiet ? healthyDisk : this.#faults);
      const steps = quiet || this.#stream.below(3) > 0 ? Number.POSITIVE_INFINITY : this.#stream.below(60);
      const opening = this.#openWithin(steps);
      if (opening === null) {
        this.#crash();
        continue;
      }
      const { error, opened } = opening;
      if (opened !== null) {
        this.#judge(opened, quiet);
        return opened;
      }
      if (error === null) throw new Error('The directory is new.');
      if (!this.#isExcused(error, quiet))
        throw new Error(`Opening failed without a reason: ${error.code}: ${error.message}`);
      // What a misdirected read alone has done is gone when it is read again.
      if (CORRUPTION.includes(error.code) && this.result.damage > 0) {
        this.result.refused++;
        return null;
      }
      this.#bench.restart('process');
      this.#lastCrash = 'process';
    }
    throw new Error('The storage never opened.');
  }

  #openWithin(steps: number): Opening | null {
    const answers: Opening[] = [];
    this.#bench.beginOpen(creation, (opening) => answers.push(opening));
    for (let step = 0; step < steps && answers.length === 0; step++) {
      if (!this.#bench.time.step()) throw new Error('Opening fell silent.');
    }
    return answers[0] ?? null;
  }

  #isExcused(error: StorageError, quiet: boolean): boolean {
    if (CORRUPTION.includes(error.code)) return this.result.damage > 0 || this.#mayBeMisread();
    // Who cannot open for want of space needs a person to free some: the last attempt has it.
    return !quiet && (error.code === 'DiskFailed' || (error.code === 'DiskFull' && this.#capacity !== null));
  }

  #mayBeMisread(): boolean {
    return this.#faults.misdirectedRead > 0;
  }

  /** One of the states that it may be in, and from now on that one: who opened it acts on what it found. */
  #judge(opened: OpenedStorage, quiet: boolean): void {
    const log = this.#readAll(opened, quiet);
    const differences = this.#possible.map((state) => difference(opened, log, state));
    const found = this.#possible[differences.indexOf(null)];
    if (found === undefined) {
      throw new Error(
        `After a ${this.#lastCrash ?? 'beginning'} (damage: ${this.result.damage}) the storage is in none of the states that it may be in: ${differences.join('; or ')}`,
      );
    }
    this.#possible = [found];
  }

  /** The whole log; null if the disk does not let it be read. */
  #readAll(opened: OpenedStorage, quiet: boolean): readonly Entry[] | null {
    const { base, lastIndex } = opened.recovered;
    this.#bench.disk.setFaults(healthyDisk);
    // What is marked was promised and is damaged: by a fault, or by a crash that left the seal of a batch and not all of it.
    const { faulty } = opened.recovered;
    const isExcused = this.result.damage > 0 || this.#mayBeMisread() || this.#wasCut || this.#isTorn;
    if (faulty.length > 0 && !isExcused) throw new Error(`D6: entry ${faulty[0]?.index} is marked without a reason`);
    this.#isTorn = faulty.length > 0;
    this.#wasCut = false;
    const read = this.#readAround(opened, base.index + 1, lastIndex);
    const snapshotError = this.#bench.time.wait<StorageError | null>((done) => readSnapshot(opened, done));
    for (const error of [read.error, snapshotError]) {
      if (error !== null && this.result.damage === 0) throw new Error(`${error.code}: ${error.message}`);
    }
    if (!quiet) this.#bench.disk.setFaults(this.#faults);
    return read.error === null ? read.entries : null;
  }

  /** Every entry but those that are marked. */
  #readAround(
    opened: OpenedStorage,
    from: number,
    to: number,
  ): { readonly error: StorageError | null; readonly entries: readonly Entry[] } {
    const entries: Entry[] = [];
    for (let next = from; next <= to; ) {
      const isMarked = opened.recovered.faulty.some(({ index }) => index === next);
      const { error, entries: some } = this.#bench.read(opened, next, to);
      if (error !== null && !(isMarked && error.code === 'FaultyEntry')) return { error, entries };
      if (isMarked && error === null) throw new Error(`D5: entry ${next} is marked as damaged and reads well`);
      entries.push(...some);
      next += error === null ? some.length : 1;
    }
    return { error: null, entries };
  }

  #live(opened: OpenedStorage): void {
    const [state = emptyState] = this.#possible;
    const life = new StorageLife(
      opened,
      state,
      this.#stream,
      this.#bench.timers,
      () => this.result.damage > 0 || this.#mayBeMisread(),
    );
    life.begin();
    const steps = this.#stream.below(MOST_STEPS);
    for (let step = 0; step < steps && this.#bench.time.step(); step++) this.#changeTenants();
    this.#possible = life.possible;
    this.result.appends += life.appends;
    this.result.snapshots += life.snapshots;
    this.result.installs += life.installs;
    this.#crash();
  }

  #changeTenants(): void {
    if (this.#capacity === null || this.#stream.below(20) > 0) return;
    const { volume } = this.#bench.disk;
    const room = volume.free + volume.others;
    volume.others = this.#stream.pick([0, this.#stream.below(room + 1), room]);
  }

  #crash(): void {
    this.#lastCrash = this.#stream.pick(['process', 'power', 'power']);
    this.#bench.restart(this.#lastCrash);
    if (this.#lastCrash === 'power') this.#wasCut = true;
    // Whatever rots while the server is down is met at once.
    if (this.#faults.bitRot > 0) for (let rots = this.#stream.below(6); rots > 0; rots--) this.#bench.disk.rot();
  }
}
