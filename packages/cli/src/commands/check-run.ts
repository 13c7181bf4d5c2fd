import type { Progress } from '@quorate/sim';

const PROGRESS_MS = 250;

/**
 * Runs a search with a line that moves. The signal it is given is aborted after so many seconds, or by a first Ctrl-C: then it ends with
 * what is known so far.
 */
export async function interruptible<Result>(
  seconds: number,
  run: (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<Result>,
): Promise<Result> {
  const began = performance.now();
  const ending = new AbortController();
  const onInterrupt = (): void => {
    if (ending.signal.aborted) process.exit(130);
    ending.abort();
  };
  process.on('SIGINT', onInterrupt);
  const timer = Number.isFinite(seconds) ? setTimeout(() => ending.abort(), seconds * 1000) : undefined;
  let shown = began;
  const onProgress = (progress: Progress): void => {
    if (performance.now() - shown < PROGRESS_MS) return;
    shown = performance.now();
    showProgress(progress, (shown - began) / 1000);
  };
  try {
    return await run(ending.signal, onProgress);
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', onInterrupt);
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
  }
}

function showProgress({ states, successors, depth, frontier }: Progress, seconds: number): void {
  if (!process.stderr.isTTY) return;
  const rate = count(Math.round(successors / seconds));
  process.stderr.write(
    `\r\u001B[K${count(states)} states, depth ${depth}, ${rate} steps a second, frontier ${count(frontier)}`,
  );
}

/** With commas between thousands. */
export function count(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}
