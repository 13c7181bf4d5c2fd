/** A thread of a search: does what the first one says, level by level. */
import { parentPort, workerData } from 'node:worker_threads';
import { CoreWorld, type CoreWorldOptions } from '../index.ts';
import { loadBug } from './bugs.ts';
import { SearchShare, type Settled } from './search-share.ts';
import { SharedFingerprints } from './shared-fingerprints.ts';

export interface SearchThread {
  readonly options: Omit<CoreWorldOptions, 'core'>;
  readonly bug: string | null;
  readonly thread: number;
  readonly threads: number;
  readonly repeatEvery: number;
  readonly met: SharedArrayBuffer;
  /** At 0: not 0 if all are to stop. Behind it, for each thread, how many steps it made. */
  readonly board: SharedArrayBuffer;
}

export type SearchOrder = 'begin' | 'shareOut' | 'expand' | 'settle' | 'tell';
export type SearchAnswer =
  | { readonly kind: 'begun'; readonly levels: readonly Settled[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'settled'; readonly level: Settled }
  | {
      readonly kind: 'told';
      readonly taken: ReadonlyMap<string, number>;
      readonly successors: number;
      readonly repeated: number;
    };

const port = parentPort;
if (port === null) throw new Error('The search thread must be started as a worker thread.');
const { options, bug, thread, threads, repeatEvery, met, board } = workerData as SearchThread;
const core = bug === null ? {} : { core: (await loadBug(bug)).core };
const share = new SearchShare(new CoreWorld({ ...options, ...core }), { thread, threads, repeatEvery });
const counters = new Int32Array(board);

function carryOut(order: SearchOrder): SearchAnswer {
  switch (order) {
    case 'begin':
      return { kind: 'begun', levels: share.begin() };
    case 'shareOut':
      share.shareOut(new SharedFingerprints(met));
      return { kind: 'done' };
    case 'expand':
      share.expand((successors) => {
        Atomics.store(counters, thread + 1, successors);
        return Atomics.load(counters, 0) === 0;
      });
      return { kind: 'done' };
    case 'settle':
      return { kind: 'settled', level: share.settle() };
    case 'tell':
      return { kind: 'told', ...share.tally };
  }
}

port.on('message', (order: SearchOrder) => port.postMessage(carryOut(order)));
