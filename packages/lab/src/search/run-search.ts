/** Runs a search test on one Raft, and says what came of it. */
import type { HandlerModule } from '../handlers.ts';
import type { Make } from '../interface.ts';
import { enterNowhere, leaveWorld } from '../sandbox/virtual-globals.ts';
import type { SearchTest } from '../suite/search-test.ts';
import { offersChange, searchRerun } from './rerun/search-rerun.ts';
import { searchHandlers } from './search-handlers.ts';
import type { SearchReport } from './search-report.ts';
import { plainStates, type StateCodec } from './state-codec.ts';

export interface SearchSubject {
  readonly make: Make;
  /** Null in the async style. */
  readonly handlers: HandlerModule | null;
  /** How its states are copied; plain data if not given. */
  readonly states?: (servers: number) => StateCodec;
}

export interface SearchRun {
  /** Decides the order of the runs of an implementation in the async style. */
  readonly seed: number;
  /** The implementation is not ours: while it is searched there is neither time nor chance but the search's. */
  readonly isForeign: boolean;
  /** Called whenever something has been tried. */
  readonly onBeat: () => void;
}

/** What the implementation lacks of what the test needs; null if it can be searched. */
export async function notOfferedOf({ needs }: SearchTest, { handlers, make }: SearchSubject): Promise<string | null> {
  if (needs !== 'change') return null;
  const isOffered = handlers === null ? await offersChange(make) : handlers.change !== undefined;
  return isOffered ? null : 'change(members)';
}

export async function runSearch(test: SearchTest, subject: SearchSubject, run: SearchRun): Promise<SearchReport> {
  const { handlers, states, make } = subject;
  try {
    if (handlers === null) return await searchRerun(test, make, run.seed, run.onBeat);
    if (run.isForeign) enterNowhere();
    return searchHandlers(test, { module: handlers, states: states?.(test.servers) ?? plainStates }, run.onBeat);
  } finally {
    if (run.isForeign) leaveWorld();
  }
}
