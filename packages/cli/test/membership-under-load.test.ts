import { describe, test } from 'vitest';
import { growAndShrink, replaceAll } from '../src/acceptance/membership.ts';
import { report } from './support/report.ts';

describe('under load no acknowledged write is lost while', () => {
  test('three servers become nine, the leader leaves, another joins, and one loses its disk', async () => {
    await growAndShrink({ clients: 4, report });
  }, 240_000);

  test('all servers are replaced by others in one step', async () => {
    await replaceAll({ clients: 4, report });
  }, 120_000);
});
