import { describe, expect, test } from 'vitest';
import { churn } from '../src/acceptance/churn.ts';
import { outage } from '../src/acceptance/outage.ts';
import { report } from './support/report.ts';

describe('servers that die', () => {
  test('under 16 clients, killed with -9 and restarted in turn: nothing acknowledged is lost, nothing happens twice', async () => {
    const { failovers } = await churn({ servers: 5, clients: 16, seconds: 6, report });
    expect(failovers.length).toBeGreaterThan(0);
  }, 120_000);

  test('two of five down: writes go on; three: typed errors in time; one back: service resumes, nothing lost', async () => {
    await outage({ report });
  }, 120_000);
});
