import { askPage } from './http.ts';

/** What `/debug/raft` tells that this command makes use of. */
export interface RaftPage {
  readonly id: string;
  readonly pid: number;
  readonly role: string;
  readonly term: number;
  /** Whom it voted for in that term. */
  readonly vote: string | null;
  readonly leader: string | null;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  /** Entries that are damaged on its disk. */
  readonly faultyEntries: number;
  /** The log begins behind this index. */
  readonly baseIndex: number;
  readonly snapshot: { readonly index: number };
  /** Of the store, at `appliedIndex`. */
  readonly store: { readonly revision: number };
  /** Bytes of log behind the newest snapshot: what a restart has to read. */
  readonly storage: { readonly logBytes: number };
  /** Since the server started, by its own monotonic clock. */
  readonly uptimeMs: number;
}

/** How a server sees itself; null while it is away or does not answer in time. */
export async function raftPage(address: string, timeoutMs = 1_000): Promise<RaftPage | null> {
  let page: unknown;
  try {
    page = await askPage('GET', address, '/debug/raft', timeoutMs);
  } catch {
    // Away, starting, stalled or cut off: for a watcher that is a state, not an error.
    return null;
  }
  if (!isRaftPage(page))
    throw new Error(`http://${address}/debug/raft does not answer as expected: ${JSON.stringify(page)}`);
  return page;
}

function isRaftPage(page: unknown): page is RaftPage {
  if (typeof page !== 'object' || page === null) return false;
  const fields = page as Partial<Record<keyof RaftPage, unknown>>;
  const numbers = [
    fields.term,
    fields.commitIndex,
    fields.appliedIndex,
    fields.lastIndex,
    fields.faultyEntries,
    fields.baseIndex,
    fields.uptimeMs,
  ];
  return typeof fields.role === 'string' && numbers.every((each) => typeof each === 'number');
}
