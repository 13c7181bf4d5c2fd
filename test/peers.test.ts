import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
const config = join(import.meta.dirname, 'fixtures/peers/vitest.config.mjs');

describe('tests that need a peer', () => {
  let path: string;

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'quorate-peers-'));
  });
  afterEach(() => {
    rmSync(path, { recursive: true });
  });

  /** Runs the fixture with `path` as the whole PATH. */
  function run(requirePeers: '0' | '1'): { status: number | null; lines: string[] } {
    const { QUORATE_TEST_SUMMARY: _, ...inherited } = process.env;
    const env = { ...inherited, PATH: path, QUORATE_REQUIRE_PEERS: requirePeers };
    const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--config', config], {
      env,
      encoding: 'utf8',
    });
    return { status, lines: stdout.trimEnd().split('\n').slice(-2) };
  }

  test('are counted and named, with the way to have them, when it is missing', () => {
    expect(run('0')).toEqual({
      status: 0,
      lines: [
        '1 passed, 0 failed, 2 not run',
        'not run: 2 etcdctl tests, etcd-client missing: apt-get install etcd-client',
      ],
    });
  });

  test('fail under QUORATE_REQUIRE_PEERS=1 when it is missing', () => {
    expect(run('1')).toEqual({ status: 1, lines: ['1 passed, 1 failed, 0 not run', 'not run: nothing'] });
  });

  test('run when it is there', () => {
    const etcdctl = join(path, 'etcdctl');
    writeFileSync(etcdctl, '#!/bin/sh\n');
    chmodSync(etcdctl, 0o755);
    expect(run('1')).toEqual({ status: 0, lines: ['3 passed, 0 failed, 0 not run', 'not run: nothing'] });
  });
});
