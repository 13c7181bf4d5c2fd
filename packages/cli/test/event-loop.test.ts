import { describe, test } from 'vitest';
import { blockedPool, bulk, stall } from '../src/acceptance/event-loop.ts';
import { report } from './support/report.ts';

describe('the event loop', () => {
  test('a follower that stands still for 1.5 s changes no term', async () => {
    await stall({ report });
  }, 120_000);

  test('writing, ranging over and deleting very many keys at default timeouts causes no election', async () => {
    await bulk({ keys: 50_000, report });
  }, 120_000);

  test('puts go on while every thread of libuv’s pool is blocked', async () => {
    await blockedPool({ report });
  }, 120_000);
});
