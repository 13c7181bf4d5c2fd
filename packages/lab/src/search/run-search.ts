/** Runs a search test on one Raft, and says what came of it. */
import type { HandlerModule } from '../handlers.ts';
import { enterNowhere, leaveWorld } from '../sandbox/virtual-globals.ts';
import type { SearchTest } from '../suite/search-test.ts';
import { searchHandlers } from './search-handlers.ts';
import type { SearchReport } from './search-report.ts';
import { plainStates, type StateCodec } from './state-codec.ts';

export interface SearchSubject {
  /** Null in the async style. */
  readonly handlers: HandlerModule | null;
  /** How its states are copied; plain data if not given. */
  readonly states?: (servers: number) => StateCodec;
}

export interface SearchRun {
  /** Decides the order of runs of an implementation in the async style. */
  readonly seed: number;
  /** The implementation is not ours: while it is searched there is neither time nor chance. */
  readonly isForeign: boolean;
  /** Called whenever something has been tried. */
  readonly onBeat: () => void;
}

/** What the implementation lacks of what the test needs; null if it can be searched. */
export function notOfferedOf({ needs }: SearchTest, { handlers }: SearchSubject): string | null {
  if (handlers === null) return 'handlers, which a search takes apart';
  return needs === 'change' && handlers.change === undefined ? 'change(members)' : null;
}

export function runSearch(test: SearchTest, subject: SearchSubject, run: SearchRun): SearchReport {
  const { handlers, states } = subject;
  if (handlers === null) throw new TypeError('Only handlers can be searched.');
  if (run.isForeign) enterNowhere();
  try {
    return searchHandlers(test, { module: handlers, states: states?.(test.servers) ?? plainStates }, run.onBeat);
  } finally {
    if (run.isForeign) leaveWorld();
  }
}
