/**
 * Time and chance of the code under test: while a test runs in virtual time, the global timers, `Date`, `performance.now` and
 * `Math.random` are the test's. What a module imports from `node:timers` and the like stays real; the guide says so.
 */
import type { RandomStream } from '@quorate/sim';
import type { Scheduler } from '../time/scheduler.ts';

/** What a test's time 0 is called by `Date`. */
const EPOCH = Date.UTC(2024, 0, 1);

interface World {
  readonly scheduler: Scheduler;
  readonly random: RandomStream;
}

const RealDate = Date;
let world: World | null = null;
let isInstalled = false;
let nextTimer = 1;
const timers = new Map<number, () => void>();

/** From here on the globals are those of this test. */
export function enterWorld(scheduler: Scheduler, random: RandomStream): void {
  world = { scheduler, random };
  timers.clear();
  if (!isInstalled) install();
  isInstalled = true;
}

function install(): void {
  const globals = {
    setTimeout: (run: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) => once(delay, () => run(...args)),
    setInterval: (run: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) =>
      repeat(delay, () => run(...args)),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => once(0, () => run(...args)),
    clearTimeout: cancel,
    clearInterval: cancel,
    clearImmediate: cancel,
    Date: VirtualDate,
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  Object.defineProperty(performance, 'now', { value: () => world?.scheduler.now ?? 0, configurable: true });
  Math.random = () => (world === null ? 0 : world.random.uint32() / 2 ** 32);
}

function once(delay: number, run: () => void): number {
  const id = nextTimer++;
  const cancelEvent = world?.scheduler.after(clampDelay(delay), () => {
    timers.delete(id);
    run();
  });
  if (cancelEvent !== undefined) timers.set(id, cancelEvent);
  return id;
}

function repeat(delay: number, run: () => void): number {
  const id = nextTimer++;
  const next = (): void => {
    const cancelEvent = world?.scheduler.after(clampDelay(delay), () => {
      next();
      run();
    });
    if (cancelEvent !== undefined) timers.set(id, cancelEvent);
  };
  next();
  return id;
}

/** As in Node.js: at least a millisecond. */
function clampDelay(delay: number): number {
  return delay >= 1 ? delay : 1;
}

function cancel(id: unknown): void {
  if (typeof id !== 'number') return;
  timers.get(id)?.();
  timers.delete(id);
}

function virtualNow(): number {
  return EPOCH + Math.floor(world?.scheduler.now ?? 0);
}

class VirtualDate extends RealDate {
  constructor(...args: readonly unknown[]) {
    if (args.length === 0) super(virtualNow());
    else super(...(args as [number]));
  }

  static override now(): number {
    return virtualNow();
  }
}
