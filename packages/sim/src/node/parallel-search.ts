/**
 * A breadth-first search on several threads. What it finds and counts is what one thread would: a level is visited whole, and of states
 * that several threads meet in it, the one keeps it that one thread alone would have met first.
 */
import { Worker } from 'node:worker_threads';
import type { CoreWorldOptions, Progress, SearchEnd, SearchResult } from '../index.ts';
import type { Found, Settled } from './search-share.ts';
import type { SearchAnswer, SearchOrder, SearchThread } from './search-worker.ts';
import { maxThreads, SharedFingerprints } from './shared-fingerprints.ts';

export interface ParallelSearchOptions {
  readonly world: Omit<CoreWorldOptions, 'core'>;
  /** The core to search, by the name of its mistake; null for the real one. */
  readonly bug: string | null;
  /** From 1 to 64. */
  readonly threads: number;
  /** Steps from the beginning; null for no bound. */
  readonly maxDepth: number | null;
  /** The most states that are remembered, on all threads together: memory for them is set aside at once. */
  readonly maxStates: number;
  /** The most states that may wait, on all threads together. */
  readonly maxFrontier: number;
  readonly repeatEvery: number;
  /** Ends the search soon. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

const progressMillis = 250;

/** Throws RangeError for threads that cannot be. */
export async function searchParallel(options: ParallelSearchOptions): Promise<SearchResult> {
  if (!(Number.isInteger(options.threads) && options.threads >= 1 && options.threads <= maxThreads))
    throw new RangeError(`A search has from 1 to ${maxThreads} threads, not ${options.threads}.`);
  const search = new ParallelSearch(options);
  try {
    return await search.run();
  } finally {
    await search.end();
  }
}

class ParallelSearch {
  readonly #options: ParallelSearchOptions;
  readonly #counters: Int32Array;
  readonly #met: SharedFingerprints;
  readonly #threads: SearchWorker[];
  readonly #levels: number[] = [1];
  #frontier = 1;
  #violation: Found | null = null;

  constructor(options: ParallelSearchOptions) {
    this.#options = options;
    const { world, bug, threads, repeatEvery, maxStates } = options;
    const met = SharedFingerprints.memoryFor(maxStates);
    this.#met = new SharedFingerprints(met);
    const board = new SharedArrayBuffer(4 * (threads + 1));
    this.#counters = new Int32Array(board);
    this.#threads = Array.from(
      { length: threads },
      (_, thread) => new SearchWorker({ options: world, bug, thread, threads, repeatEvery, met, board }),
    );
  }

  get #states(): number {
    return this.#levels.reduce((sum, states) => sum + states, 0);
  }

  async run(): Promise<SearchResult> {
    const { signal, onProgress } = this.#options;
    const stop = (): void => void Atomics.store(this.#counters, 0, 1);
    signal.addEventListener('abort', stop);
    const timer = setInterval(() => onProgress(this.#progress()), progressMillis);
    try {
      const end = await this.#search();
      return await this.#result(end);
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  #progress(): Progress {
    const successors = this.#counters.subarray(1).reduce((sum, count) => sum + count, 0);
    return { states: this.#states, successors, depth: this.#levels.length - 1, frontier: this.#frontier };
  }

  async #search(): Promise<SearchEnd> {
    const [begun] = await this.#all('begin');
    if (begun?.kind !== 'begun') throw new Error('A thread of the search gave no answer.');
    const { maxDepth } = this.#options;
    for (const level of begun.levels) {
      if (this.#levels.length - 1 === maxDepth) return 'depth';
      const end = this.#take([level]);
      if (end !== null) return end;
    }
    await this.#all('shareOut');
    for (;;) {
      if (this.#levels.length - 1 === maxDepth) return 'depth';
      await this.#all('expand');
      if (this.#met.isFull) return 'states';
      if (this.#options.signal.aborted) return 'stopped';
      const end = this.#take((await this.#all('settle')).map(levelOf));
      if (end !== null) return end;
    }
  }

  /** The stretches of a new level, in their order. Returns why the search is over, or null. */
  #take(stretches: readonly Settled[]): SearchEnd | null {
    const at = stretches.findIndex(({ violation }) => violation !== null);
    const violation = stretches[at]?.violation ?? null;
    const kept = (some: readonly Settled[]): number => some.reduce((sum, stretch) => sum + stretch.kept, 0);
    if (violation !== null) {
      this.#violation = violation;
      this.#levels.push(kept(stretches.slice(0, at)) + violation.before + 1);
      return 'violation';
    }
    this.#frontier = kept(stretches);
    if (this.#frontier === 0) return 'exhausted';
    this.#levels.push(this.#frontier);
    if (this.#states >= this.#options.maxStates) return 'states';
    return this.#frontier > this.#options.maxFrontier ? 'frontier' : null;
  }

  async #result(end: SearchEnd): Promise<SearchResult> {
    const told = (await this.#all('tell')).filter((answer) => answer.kind === 'told');
    const taken = new Map<string, number>();
    for (const each of told) {
      for (const [kind, times] of each.taken) taken.set(kind, (taken.get(kind) ?? 0) + times);
    }
    return {
      states: this.#states,
      successors: told.reduce((sum, { successors }) => sum + successors, 0),
      depth: this.#levels.length - 1,
      frontier: this.#frontier,
      end,
      levels: [...this.#levels],
      actions: this.#violation?.actions ?? null,
      broken: this.#violation?.broken ?? null,
      taken,
      pruned: new Map(),
      cut: this.#cut(end),
      nearest: [],
      repeated: told.reduce((sum, { repeated }) => sum + repeated, 0),
    };
  }

  #cut(end: SearchEnd): string[] {
    const { maxDepth, maxStates, maxFrontier } = this.#options;
    const left = `${this.#frontier} states were not gone on from`;
    if (end === 'depth')
      return [`${this.#frontier} states at depth ${maxDepth}, the depth bound, were not gone on from`];
    if (end === 'states') return [`${left}: ${maxStates}, the limit maxStates, are remembered`];
    if (end === 'frontier') return [`${left}: more than ${maxFrontier}, the limit maxFrontier, wait`];
    return end === 'stopped' ? [`at most ${left} when the search was stopped`] : [];
  }

  async #all(order: SearchOrder): Promise<SearchAnswer[]> {
    return await Promise.all(this.#threads.map(async (thread) => await thread.ask(order)));
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map(async (thread) => await thread.end()));
  }
}

function levelOf(answer: SearchAnswer): Settled {
  if (answer.kind !== 'settled') throw new Error(`A thread of the search answered '${answer.kind}'.`);
  return answer.level;
}

class SearchWorker {
  readonly #worker: Worker;

  constructor(data: SearchThread) {
    this.#worker = new Worker(workerFile(), { workerData: data, execArgv: [] });
  }

  async ask(order: SearchOrder): Promise<SearchAnswer> {
    return await new Promise<SearchAnswer>((resolve, reject) => {
      const onExit = (code: number): void => reject(new Error(`A thread of the search ended with ${code}.`));
      const forget = (): void => {
        this.#worker.off('message', onAnswer);
        this.#worker.off('error', onError);
        this.#worker.off('exit', onExit);
      };
      const onAnswer = (answer: SearchAnswer): void => {
        forget();
        resolve(answer);
      };
      const onError = (error: Error): void => {
        forget();
        reject(error);
      };
      this.#worker.on('message', onAnswer);
      this.#worker.on('error', onError);
      this.#worker.on('exit', onExit);
      this.#worker.postMessage(order, []);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** A thread cannot run TypeScript on every supported Node.js: from its source, this starts the compiled one. */
function workerFile(): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  return new URL(fromSource ? '../../dist/node/search-worker.js' : './search-worker.js', import.meta.url);
}
