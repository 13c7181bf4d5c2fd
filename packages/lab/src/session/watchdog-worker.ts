/**
 * Watches the thread that runs tests: where that does nothing but one thing for too long, its stack is taken from outside and written
 * down for the parent, and the process ends. Only so a loop without end can be shown.
 */
import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';

interface Orders {
  /** Grows as long as the main thread goes on. */
  readonly beats: Int32Array;
  /** Real milliseconds without a beat. */
  readonly limit: number;
  /** Where the parent listens. */
  readonly descriptor: number;
}

/** Frames of a stack that say enough. */
const FRAMES = 12;

const { beats, limit, descriptor } = workerData as Orders;
const parent = process.ppid;
let last = Atomics.load(beats, 0);

setInterval(() => {
  // Nobody waits for what is computed here any more.
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  const now = Atomics.load(beats, 0);
  if (now === last && now !== 0) report();
  last = now;
}, limit);

function report(): void {
  const session = new Session();
  session.connectToMainThread();
  session.on('Debugger.paused', ({ params }) => {
    const frames = params.callFrames.slice(0, FRAMES).map(({ functionName, url, location }) => {
      return `    at ${functionName || '(anonymous)'} (${url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1})`;
    });
    writeSync(descriptor, `${JSON.stringify({ limit, stack: frames.join('\n') })}\n`);
    process.kill(process.pid, 'SIGKILL');
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}
