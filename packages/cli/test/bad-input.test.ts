import { describe, test } from 'vitest';
import { oversized, rubbish } from '../src/acceptance/bad-input.ts';
import { report } from './support/report.ts';

describe('bad input', () => {
  test('requests that are too large are refused with a typed error, and the service goes on', async () => {
    await oversized({ report });
  }, 120_000);

  test('rubbish on client and peer ports disturbs nobody', async () => {
    await rubbish({ seconds: 4, seed: Date.now() % 1_000_000, report });
  }, 120_000);
});
