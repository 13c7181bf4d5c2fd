/** The load generator as a process of its own: plans come in over IPC, results go out; 'stop' ends a run early. Ends with its parent. */
import type { LoadPlan, LoadResult } from './plan.ts';
import { runLoad } from './run-load.ts';

export type GeneratorReply =
  /** When the measured time begins: milliseconds since 1970. */
  { readonly begins: number } | { readonly result: LoadResult } | { readonly error: string };

process.on('disconnect', () => process.exit(0));
let stop = new AbortController();
process.on('message', (message: LoadPlan | 'stop') => {
  if (message === 'stop') return stop.abort();
  stop = new AbortController();
  runLoad(message, stop.signal, (begins) => reply({ begins })).then(
    (result) => reply({ result }),
    (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

function reply(message: GeneratorReply): void {
  process.send?.(message);
}
