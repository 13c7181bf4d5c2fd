/**
 * Tests that need a program from outside the house. Without it they are counted as not run, and the last line of
 * `npm test` names them; under QUORATE_REQUIRE_PEERS=1 its absence is a failure.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'vitest';
import table from './peers.json' with { type: 'json' };

/** A program that some tests talk to; peers.json says how it is called and which Debian package holds it. */
export type Peer = keyof typeof table;

declare module 'vitest' {
  interface TaskMeta {
    /** Set on suites that are skipped because this program is missing. Read by scripts/not-run-reporter.mjs. */
    missingPeer?: Peer;
  }
}

/** Where the peer's program is, or null when it is not on PATH. */
export function findPeer(peer: Peer): string | null {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, table[peer].binary);
    if (directory !== '' && isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A suite that needs one peer or several: `describeWithPeer('etcdctl', 'put and get', () => { … })`. */
export function describeWithPeer(peers: Peer | readonly Peer[], name: string, body: () => void): void {
  const wanted = typeof peers === 'string' ? [peers] : peers;
  const missingPeer = wanted.find((peer) => findPeer(peer) === null);
  if (missingPeer === undefined) {
    describe(name, body);
  } else if (process.env['QUORATE_REQUIRE_PEERS'] === '1') {
    describe(name, () => {
      test(`finds ${missingPeer} on PATH`, () => {
        throw new Error(
          `${missingPeer} is missing and QUORATE_REQUIRE_PEERS=1: apt-get install ${table[missingPeer].package}`,
        );
      });
    });
  } else {
    describe.skip(name, { meta: { missingPeer } }, body);
  }
}
