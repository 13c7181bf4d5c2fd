/** Many seeds, on as many threads as asked for. */
import { Worker } from 'node:worker_threads';
import type { RunLimits, SeedReport } from '../index.ts';

export interface CampaignOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly threads: number;
  readonly limits: RunLimits;
  /** Ends the campaign after the seeds under way. */
  readonly signal: AbortSignal;
  readonly onReport: (report: SeedReport) => void;
}

/** Resolves when every seed was run, or the campaign was given up. Seeds are reported as they end, in no order. */
export async function runCampaign(options: CampaignOptions): Promise<void> {
  const end = options.firstSeed + options.seeds;
  let next = options.firstSeed;
  const take = (): number | null => (next < end && !options.signal.aborted ? next++ : null);
  const threads = Math.max(1, Math.min(options.threads, options.seeds));
  await Promise.all(Array.from({ length: threads }, async () => await runThread(options, take)));
}

async function runThread({ limits, onReport }: CampaignOptions, take: () => number | null): Promise<void> {
  const worker = new Worker(workerFile(), { workerData: limits, execArgv: [] });
  try {
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        const seed = take();
        if (seed === null) resolve();
        else worker.postMessage(seed, []);
      };
      worker.on('message', (report: SeedReport) => {
        onReport(report);
        go();
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`A campaign thread ended with ${code}.`)));
      go();
    });
  } finally {
    worker.removeAllListeners('exit');
    await worker.terminate();
  }
}

/** A thread cannot run TypeScript on every supported Node.js: from its source, this starts the compiled one. */
function workerFile(): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  return new URL(fromSource ? '../../dist/node/campaign-worker.js' : './campaign-worker.js', import.meta.url);
}
