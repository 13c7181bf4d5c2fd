/**
 * Watches the thread that runs tests: where that does nothing but one thing for too long, its stack is taken from outside and written
 * down for the parent, and the process ends. Only so a loop without end can be shown.
 */
import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { type HeartbeatCells, HeartbeatWatch } from './heartbeat.ts';

interface Orders {
  /** The main thread's. */
  readonly cells: HeartbeatCells;
  /** Real milliseconds without a beat. */
  readonly limit: number;
  /** Where the parent listens. */
  readonly descriptor: number;
}

/** Frames of a stack that say enough. */
const FRAMES = 12;

const { cells, limit, descriptor } = workerData as Orders;
const parent = process.ppid;
const watch = new HeartbeatWatch(cells);

setInterval(() => {
  // Nobody waits for what is computed here any more.
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  if (watch.look()) report();
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
