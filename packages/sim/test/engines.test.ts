import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runSeed, standardWatchers } from '@quorate/sim';
import { expect, it } from 'vitest';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';

const packages = fileURLToPath(new URL('../../', import.meta.url));
const seeds = [1, 7, 23];

/** The page runs the compiled packages as they are: the import map stands for what node's resolution does. */
const page = `<!doctype html>
<script type="importmap">
{ "imports": {
  "@quorate/raft": "/raft/dist/index.js",
  "@quorate/runtime": "/runtime/dist/index.js",
  "@quorate/kv": "/kv/dist/index.js",
  "@quorate/kv/api": "/kv/dist/api/index.js"
} }
</script>
<script type="module">
import { runSeed, standardWatchers } from '/sim/dist/index.js';
const hashes = ${JSON.stringify(seeds)}.map((seed) => runSeed(seed, { faultSeconds: 10 }, standardWatchers).stateHash);
document.body.textContent = 'hashes ' + hashes.join(' ') + ' end';
</script>`;

describeWithPeer('chromium', 'another engine', () => {
  it('makes the same runs of the same seeds', async () => {
    const server = createServer((request, response) => {
      const path = request.url ?? '/';
      const isPage = path === '/';
      response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
      const file = join(packages, normalize(path));
      if (isPage) response.end(page);
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
      const here = seeds.map((seed) => runSeed(seed, { faultSeconds: 10 }, standardWatchers).stateHash);
      expect(/hashes ([\d ]+) end/.exec(stdout)?.[1]).toBe(here.join(' '));
    } finally {
      server.close();
      rmSync(profile, { recursive: true, force: true });
    }
  }, 60_000);
});
