/**
 * How long until a cluster serves a write. A write is sent every few milliseconds, to one server after the other, whether or not the
 * others were answered; the first answer counts. So nothing waits for a call that a dead leader will never answer.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ClientError } from '@quorate/client';

/** Between two writes: the resolution of what is measured. Milliseconds. */
export const PROBE_EVERY_MS = 2;
/** A write that has no answer by then is forgotten; others went out since. */
const PROBE_TIMEOUT_MS = 2_000;
/** Writes that may be under way at once. */
const MAX_PROBES = 500;

export interface Served {
  /** From the moment asked about to the answer. Milliseconds. */
  readonly ms: number;
  /** Of the write that was answered first: when it was sent. */
  readonly sentMs: number;
}

/** Null: no write was answered within `limitMs`. `since`: by `performance.now`. */
export async function firstWriteServed(
  clients: readonly Client[],
  since: number,
  limitMs: number,
  signal: AbortSignal,
): Promise<Served | null> {
  let served: Served | null = null;
  let fault: Error | null = null;
  let under = 0;
  const over = new AbortController();
  // Each probe under way listens.
  setMaxListeners(MAX_PROBES + 1, over.signal);
  const probe = async (client: Client, sent: number): Promise<void> => {
    under += 1;
    try {
      await client.put('probe', `${sent}`, { timeout: PROBE_TIMEOUT_MS, signal: over.signal });
      served ??= { ms: performance.now() - since, sentMs: sent - since };
    } catch (error) {
      // Refused, lost or given up: that is what is being measured. Anything else is a fault of the experiment.
      if (!(error instanceof ClientError)) fault ??= error instanceof Error ? error : new Error(String(error));
    } finally {
      under -= 1;
    }
  };
  const probes: Promise<void>[] = [];
  for (let turn = 0; isOpen(served, fault) && performance.now() - since < limitMs; turn++) {
    signal.throwIfAborted();
    const client = clients[turn % clients.length];
    if (client !== undefined && under < MAX_PROBES) probes.push(probe(client, performance.now()));
    await sleep(PROBE_EVERY_MS, undefined, { signal });
  }
  over.abort();
  await Promise.all(probes);
  throwIf(fault);
  return served;
}

function throwIf(fault: Error | null): void {
  if (fault !== null) throw fault;
}

/** A function, because the compiler does not see that probes change what it is given. */
function isOpen(served: Served | null, fault: Error | null): boolean {
  return served === null && fault === null;
}
