import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Trial } from '../src/acceptance/trial.ts';
import { UniqueWrites } from '../src/acceptance/writes.ts';
import { memberDirectory } from '@quorate/processes';
import { quorate } from './support/command.ts';
import { report } from './support/report.ts';

describe('servers with a flight recorder', () => {
  test('can be replayed after one was killed: each core goes as it went, and a changed recording shows where', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-flight-'));
    try {
      await Trial.run({ servers: 3, report, flags: ['--flight-recorder'] }, async (trial) => {
        const client = await trial.client();
        const writes = new UniqueWrites();
        for (let n = 0; n < 100; n++) await writes.write(client, `w/${n}`);
        const killed = await trial.leader();
        await killed.process.kill('SIGKILL');
        await trial.oneLeader();
        for (let n = 100; n < 200; n++) await writes.write(client, `w/${n}`);
        await trial.agreed();
        const pages = await Promise.all(trial.running.map((server) => trial.page(server)));
        // The leader last: it finds nobody to hand over to, and no term begins any more.
        const leader = await trial.leader();
        for (const server of trial.running) if (server !== leader) await server.process.stop();
        await leader.process.stop();

        const directories = trial.cluster.servers.map(({ member }) => memberDirectory(trial.cluster.directory, member));
        const file = join(folder, 'trace.json');
        const exported = await quorate(['trace', 'export', ...directories, '-o', file]);
        expect(exported.err).toMatch(/records of 3 servers/);
        expect(exported.code).toBe(0);

        const replayed = await quorate(['sim', 'replay', file]);
        expect(replayed.err).toBe('');
        expect(replayed.out).toContain('Everything went as recorded.');
        expect(replayed.code).toBe(0);
        for (const page of pages) {
          const row = replayed.out.split('\n').find((line) => line.includes(page?.id ?? 'no page'));
          expect(row).toContain(`term ${page?.term}, last ${page?.lastIndex}, committed ${page?.commitIndex}`);
        }
        expect((await quorate(['sim', 'replay', ...directories])).out).toContain('Everything went as recorded.');

        const changed = join(folder, 'changed.json');
        writeFileSync(changed, withoutOneVote(readFileSync(file, 'utf8')));
        const parted = await quorate(['sim', 'replay', changed]);
        expect(parted.out).toMatch(/parts from its recording at input \d+/);
        expect(parted.code).toBe(1);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);

  test('say what is wrong when there is nothing to export or replay', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-flight-'));
    try {
      const nothing = await quorate(['trace', 'export', folder]);
      expect(nothing.err).toMatch(/holds no recording. Give the data directory of a server that was started with/);
      expect(nothing.code).toBe(1);
      const file = join(folder, 'rubbish.json');
      writeFileSync(file, 'no trace\n');
      expect((await quorate(['sim', 'replay', file])).err).toMatch(/^Error: This is no Quorate trace/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** The first vote that was granted is refused instead. */
function withoutOneVote(trace: string): string {
  expect(trace).toContain('"kind":"requestVoteReply"');
  return trace.replace(/("kind":"requestVoteReply".*?"granted":)true/, '$1false');
}
