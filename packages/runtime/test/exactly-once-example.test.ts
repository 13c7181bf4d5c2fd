import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePorts } from '@quorate/processes';
import { expect, it } from 'vitest';

const program = new URL('../../../examples/exactly-once/exactly-once.mjs', import.meta.url).pathname;

it('the example counts every increment once', async () => {
  const [firstPort = 0] = await freePorts(3, { consecutive: true });
  const { stdout } = await promisify(execFile)(process.execPath, [program, String(firstPort)]);
  const [, sum, attempts] = /^counted to (\d+) with (\d+) attempts$/m.exec(stdout) ?? [];
  expect(Number(sum)).toBe(3000);
  expect(Number(attempts)).toBeGreaterThan(3000);
});
