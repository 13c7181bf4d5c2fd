import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorReply } from './load-worker.ts';
import type { LoadPlan, LoadResult } from './plan.ts';

/** How much longer than planned a run may take before it is called hung. */
const GRACE_MS = 60_000;
/** As built, also when we run from source (tests). */
const WORKER = fileURLToPath(new URL('../../dist/load/load-worker.js', import.meta.url));

/** What somebody who stands beside a load may say and hear. */
export interface LoadControl {
  /** Ends the load early. */
  readonly enough?: AbortSignal;
  /** Called once the generator is connected, with the time at which the measured time begins, behind the warm-up: milliseconds since 1970. */
  readonly onBegun?: (time: number) => void;
}

/** Holds one generator process and hands it plans, one at a time. */
export class Generator {
  #child: ChildProcess | null = null;

  /** Rejects when the generator fails, ends or hangs, and when `signal` is aborted; it is ended then. */
  run(plan: LoadPlan, signal: AbortSignal, { enough, onBegun }: LoadControl = {}): Promise<LoadResult> {
    // Not with our own flags: tests run from source, it does not.
    this.#child ??= fork(WORKER, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const limit = (plan.warmUpSeconds + plan.seconds) * 1000 + plan.timeoutMs + GRACE_MS;
      const timer = setTimeout(() => fail(new Error(`The load generator gave no result within ${limit} ms.`)), limit);
      const onExit = (code: number | null): void => fail(new Error(`The load generator ended with code ${code}.`));
      const onAbort = (): void => fail(signal.reason);
      const onEnough = (): void => void child.send('stop');
      const onMessage = (reply: GeneratorReply): void => {
        if ('begins' in reply) onBegun?.(reply.begins);
        else if ('error' in reply) fail(new Error(`The load generator failed: ${reply.error}`));
        else settle(() => resolve(reply.result));
      };
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        child.off('exit', onExit);
        child.off('message', onMessage);
        signal.removeEventListener('abort', onAbort);
        enough?.removeEventListener('abort', onEnough);
        act();
      };
      const fail = (reason: unknown): void => {
        this.close();
        settle(() => reject(reason instanceof Error ? reason : new Error(String(reason))));
      };
      child.on('exit', onExit);
      child.on('message', onMessage);
      signal.addEventListener('abort', onAbort, { once: true });
      enough?.addEventListener('abort', onEnough, { once: true });
      child.send(plan);
    });
  }

  close(): void {
    if (this.#child?.connected === true) this.#child.disconnect();
    this.#child = null;
  }
}
