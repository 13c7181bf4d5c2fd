import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as sim from '@quorate/sim';
import { expect, it } from 'vitest';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';

const packages = fileURLToPath(new URL('../../', import.meta.url));

/** What both engines compute, from the library alone: it is sent to the browser as it stands here. */
type Compute = (library: typeof sim) => readonly (number | string)[];

const hashesOfSeeds: Compute = ({ runSeed, standardWatchers }) =>
  [1, 7, 23].map((seed) => runSeed(seed, { faultSeconds: 10 }, standardWatchers).stateHash);

/** Ways through core worlds, with and without a clock, and with symmetry: the fingerprint behind every step. */
const fingerprintsOfWalks: Compute = ({ CoreWorld }) => {
  const prints: string[] = [];
  for (const timing of ['clock', 'order'] as const) {
    for (let seed = 1; seed <= 4; seed++) {
      const budgets = { terms: 6, elections: null, requests: null };
      const world = new CoreWorld({ servers: 3, spares: seed % 2, timing, seed, budgets });
      let drawn = seed;
      for (let step = 0; step < 150; step++) {
        const ways = world.enabled();
        if (ways.length === 0 || world.broken !== null) break;
        drawn = (Math.imul(drawn, 1_103_515_245) + 12_345) >>> 0;
        const way = ways[(drawn >>> 8) % ways.length];
        if (way !== undefined) world.perform(way);
        const { a, b } = world.fingerprint();
        prints.push(`${a}:${b}`);
      }
    }
  }
  return prints;
};

/** The page runs the compiled packages as they are: the import map stands for what node's resolution does. */
function pageOf(compute: Compute): string {
  return `<!doctype html>
<script type="importmap">
{ "imports": {
  "@quorate/raft": "/raft/dist/index.js",
  "@quorate/runtime": "/runtime/dist/index.js",
  "@quorate/kv": "/kv/dist/index.js",
  "@quorate/kv/api": "/kv/dist/api/index.js"
} }
</script>
<script type="module">
import * as library from '/sim/dist/index.js';
const compute = ${compute.toString()};
document.body.textContent = 'found ' + compute(library).join(' ') + ' end';
</script>`;
}

/** What comes of it in the browser. */
async function inChromium(compute: Compute): Promise<readonly string[]> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const isPage = path === '/';
    response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
    const file = join(packages, normalize(path));
    if (isPage) response.end(pageOf(compute));
    else if (file.startsWith(packages) && existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const profile = mkdtempSync(join(tmpdir(), 'quorate-chromium-'));
  try {
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const { stdout } = await promisify(execFile)(findPeer('chromium') ?? '', [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--user-data-dir=${profile}`,
      '--dump-dom',
      `http://127.0.0.1:${port}/`,
    ]);
    return /found ([-:\d ]+) end/.exec(stdout)?.[1]?.split(' ') ?? [];
  } finally {
    server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Where the two part, and as what; null where they are the same. */
function difference(here: readonly (number | string)[], there: readonly string[]): string | null {
  const at = here.findIndex((value, place) => String(value) !== there[place]);
  return at === -1 ? null : `at ${at}: ${here[at] ?? ''} here, ${there[at] ?? 'nothing'} there`;
}

describeWithPeer('chromium', 'another engine', () => {
  it('makes the same runs of the same seeds', async () => {
    expect(difference(hashesOfSeeds(sim), await inChromium(hashesOfSeeds))).toBeNull();
  }, 60_000);

  it('comes to the same states of core worlds, with the same fingerprints', async () => {
    const here = fingerprintsOfWalks(sim);
    expect(here.length).toBeGreaterThan(600);
    expect(new Set(here).size).toBeGreaterThan(500);
    expect(difference(here, await inChromium(fingerprintsOfWalks))).toBeNull();
  }, 60_000);
});
