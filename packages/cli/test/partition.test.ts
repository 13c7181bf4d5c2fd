import { describe, expect, test } from 'vitest';
import { partition } from '../src/acceptance/partition.ts';
import { clientAddress } from '@quorate/processes';
import { quorate } from './support/command.ts';
import { report } from './support/report.ts';

describe('a leader that is cut off', () => {
  test('decides nothing, is replaced, and returns without changing leader or term', async () => {
    await partition({
      report,
      whileCut: async ({ member }) => {
        // It takes the write and cannot commit it. Nobody can say yet what will become of it: exit code 4.
        const ran = await quorate([
          'put',
          'k',
          'v',
          '--endpoints',
          clientAddress(member),
          '--command-timeout',
          '700ms',
        ]);
        expect(ran.err).toMatch(/^Error: Whether Put took effect is not known/);
        expect(ran.code).toBe(4);
      },
    });
  }, 120_000);
});
