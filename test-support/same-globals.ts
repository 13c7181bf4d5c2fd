/**
 * Test files share their threads. One that leaves the timers of a thread replaced would make whatever comes after it wait for ever, so it
 * is itself that fails.
 */
import { afterAll } from 'vitest';

const { setTimeout: timer, setImmediate: soon, Date: calendar } = globalThis;

afterAll(() => {
  if (setTimeout === timer && setImmediate === soon && Date === calendar) return;
  throw new Error(
    'This file leaves setTimeout, setImmediate or Date replaced. Run what replaces them in a process of its own.',
  );
});
