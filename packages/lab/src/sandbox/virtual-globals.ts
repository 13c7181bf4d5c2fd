/**
 * Time and chance of the code under test: while a test runs in virtual time, the global timers, `Date`, `performance.now` and
 * `Math.random` are the test's. What a module imports from `node:timers` and the like stays real; the guide says so.
 */
import type { Scheduler } from '../time/scheduler.ts';

/** What a test's time 0 is called by `Date`. */
const EPOCH = Date.UTC(2024, 0, 1);

/** Where the code under test finds time and chance. */
export interface World {
  readonly scheduler: Pick<Scheduler, 'now' | 'after'>;
  readonly random: { uint32(): number };
}

/** A handler that is searched asks for time or chance, of which it has none. */
export class ImpureHandlerError extends Error {
  override readonly name = 'ImpureHandlerError';

  constructor(what: string) {
    super(
      `${what} in a handler. A handler that is searched has no clock and no chance: what comes of an event must be the same whenever ` +
        'it happens. Set a timer (context.setTimer), and let a longer or shorter time come from there',
    );
  }
}

const nowhere: World = {
  scheduler: {
    get now(): number {
      throw new ImpureHandlerError('Date or performance.now');
    },
    after(): () => void {
      throw new ImpureHandlerError('setTimeout, setInterval or setImmediate');
    },
  },
  random: {
    uint32(): number {
      throw new ImpureHandlerError('Math.random');
    },
  },
};

const RealDate = Date;
let world: World | null = null;
let isInstalled = false;
let nextTimer = 1;
const timers = new Map<number, () => void>();

/** From here on the globals are those of this test. */
export function enterWorld(scheduler: World['scheduler'], random: World['random']): void {
  world = { scheduler, random };
  timers.clear();
  if (!isInstalled) install();
  isInstalled = true;
}

/** From here on there is neither time nor chance: whoever asks for them is told so. */
export function enterNowhere(): void {
  enterWorld(nowhere.scheduler, nowhere.random);
}

/** The test is over. */
export function leaveWorld(): void {
  world = null;
  timers.clear();
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
