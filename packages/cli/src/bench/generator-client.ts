import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorReply } from './load-worker.ts';
import type { LoadPlan, LoadResult } from './load.ts';

/** How much longer than planned a run may take before it is called hung. */
const GRACE_MS = 20_000;

/** Holds one generator process and hands it plans, one at a time. */
export class Generator {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./load-worker.js', import.meta.url)), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  run(plan: LoadPlan): Promise<LoadResult> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const limit = (plan.warmUpSeconds + plan.seconds) * 1000 + GRACE_MS;
      const timer = setTimeout(() => end(new Error(`The load generator gave no result within ${limit} ms.`)), limit);
      const onExit = (code: number | null): void => end(new Error(`The load generator ended with code ${code}.`));
      const onMessage = (reply: GeneratorReply): void => end('error' in reply ? new Error(reply.error) : reply.result);
      function end(outcome: Error | LoadResult): void {
        clearTimeout(timer);
        child.off('exit', onExit);
        child.off('message', onMessage);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      }
      child.on('exit', onExit);
      child.on('message', onMessage);
      child.send(plan);
    });
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
