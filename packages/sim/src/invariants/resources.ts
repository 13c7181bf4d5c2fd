/** H. Bounds, and that no server breaks. That a healed cluster converges (H1, H2, H5) is for the world to see: it knows when faults have ended. */
import type { Judge } from './judge.ts';
import type { ServerGhost } from './server-ghost.ts';

export class Resources {
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  output({ raft, options, id }: ServerGhost): void {
    const { leadership, forwarded, log, appliedIndex, durability } = raft.state;
    const reads = leadership?.reads.length ?? forwarded.readsWaiting.length + forwarded.readsSent.length;
    if (reads > options.maxPendingReads) this.#exceeded(id, `at most ${options.maxPendingReads} reads may wait`, reads);
    for (const { id: peer, inflight, inflightBytes } of leadership?.progress ?? []) {
      if (inflight.length > options.maxInflightMessages) {
        this.#exceeded(
          id,
          `at most ${options.maxInflightMessages} messages may be in flight to ${peer}`,
          inflight.length,
        );
      }
      if (inflightBytes < 0 || (inflight.length === 0 && inflightBytes !== 0)) {
        this.#exceeded(id, `${inflight.length} messages are in flight to ${peer}`, inflightBytes);
      }
      // The window is closed once it is full: the last message may stand out, by no more than one message's size.
      const rest = inflightBytes - (inflight.at(-1)?.bytes ?? 0);
      if (rest >= options.maxInflightBytes)
        this.#exceeded(id, `at most ${options.maxInflightBytes} bytes may be in flight to ${peer}`, inflightBytes);
    }
    const needed = Math.min(appliedIndex, durability.durableIndex);
    if (log.cacheBytes > options.maxLogCacheBytes && log.cacheFirst <= needed && log.cacheFirst <= log.lastIndex) {
      this.#exceeded(
        id,
        `at most ${options.maxLogCacheBytes} bytes of entries that are durable and applied stay in memory`,
        log.cacheBytes,
      );
    }
  }

  /** A server ends for what its disk or its operator did. One that broke over its own code hides there: others go on without it. */
  ended(id: string, code: string, message: string): void {
    if (code !== 'InternalError') return;
    this.#judge.broken(
      'H6',
      `${id} meets nothing that a server need not be able to bear`,
      `it stopped, ${code}: ${message}`,
    );
  }

  #exceeded(id: string, limit: string, found: number): void {
    this.#judge.broken('H4', limit, `${id} has ${found}`);
  }
}
