/** Waiting, in an experiment: always with a limit, and never longer than the experiment goes on. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Waiting<Value> {
  /** For people: "Waited 60 s for …". */
  readonly what: string;
  /** Null: not yet. */
  readonly probe: () => Promise<Value | null>;
  readonly limitMs: number;
  readonly pollMs: number;
  readonly signal: AbortSignal;
  /** Why it will never be; null while it may. */
  readonly complaint: () => string | null;
}

/** What was waited for did not come. */
export class InVainError extends Error {
  override readonly name = 'InVainError';
}

export async function until<Value>(waiting: Waiting<Value>): Promise<Value> {
  const { what, probe, limitMs, pollMs, signal, complaint } = waiting;
  const deadline = performance.now() + limitMs;
  for (;;) {
    signal.throwIfAborted();
    const value = await probe();
    if (value !== null) return value;
    const reason = complaint();
    if (reason !== null) throw new InVainError(`Waited for ${what}, but ${reason}`);
    if (performance.now() > deadline) throw new InVainError(`Waited ${limitMs / 1000} s for ${what}, in vain.`);
    await sleep(pollMs, undefined, { signal });
  }
}
