import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithPeer } from '../../../test-support/peers.ts';
import { QUORATE_ENTRY } from '../src/programs.ts';
import { type Ran, quorate } from './support/command.ts';
import { SshHosts } from './support/ssh-hosts.ts';

/** Leaders of five servers fall silent and go on, with 40 ms from server to server: a relay on each host. */
const SILENT = ['adaptation', '100-130ms-40ms-prevote-leader-adaptive'] as const;
/** Leaders of three servers are killed and started again. */
const KILLED = ['elections', '3-150-300ms-prevote-killed'] as const;
/** An election timeout, the votes, and the write: no successor serves sooner. */
const LEAST_MS = 100 + 2 * 2 * 40;
const NOTHING = { directories: [], processes: [] };

describeWithPeer(['ssh', 'sshd', 'ip'], 'quorate lab experiment --hosts', () => {
  let hosts: SshHosts;
  let out = '';
  beforeAll(async () => {
    out = mkdtempSync(join(tmpdir(), 'quorate-hosts-test-'));
    hosts = await SshHosts.open();
  });
  afterAll(() => {
    hosts.close();
    rmSync(out, { recursive: true });
  });

  const command = (
    [name, cell]: readonly [string, string],
    home: string,
    list: string,
    ...more: string[]
  ): readonly string[] => {
    const what = ['lab', 'experiment', name, '--quick', '--cells', cell, '--out', join(out, home)];
    return [...what, '--hosts', list, '--ssh-config', hosts.config, '--hosts-dir', hosts.data, ...more];
  };

  /** Runs one cell on all hosts; how long its successors took to serve, in milliseconds. */
  async function measured(cell: readonly [string, string]): Promise<readonly number[]> {
    const { code, out: said, err } = await quorate(command(cell, 'whole', 'h1,h2,h3'));
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(said).toContain('connecting to h1, h2, h3');
    expect(hosts.left()).toEqual(NOTHING);
    const results = JSON.parse(readFileSync(join(out, 'whole', cell[0], 'results.json'), 'utf8')) as {
      hosts: string[];
      cells: {
        failure: string | null;
        hosts: { host: string; node: string }[];
        rows: { kind: string; ms: number | null }[];
      }[];
    };
    expect(results.hosts).toEqual(hosts.names);
    const [measuredCell] = results.cells;
    expect(measuredCell?.failure).toBe(null);
    const told = measuredCell?.hosts.map(({ host, node }) => [host, node]);
    expect(told).toEqual(hosts.names.map((name) => [name, process.version]));
    const replaced = (measuredCell?.rows ?? []).filter(({ kind }) => kind === 'replacement');
    return replaced.flatMap(({ ms }) => (ms === null ? [] : [ms]));
  }

  it('stops servers there and delays what they say, brings home what was seen, and leaves nothing behind', async () => {
    const times = await measured(SILENT);
    expect(times.length).toBeGreaterThan(0);
    for (const ms of times) expect(ms).toBeGreaterThan(LEAST_MS);
    expect(readFileSync(join(out, 'whole/index.html'), 'utf8')).toContain('--hosts h1,h2,h3');
  }, 60_000);

  it('kills servers there and starts them again', async () => {
    expect((await measured(KILLED)).length).toBeGreaterThan(0);
  }, 60_000);

  it('does not mix what was measured there with what is measured here', async () => {
    const { code, err } = await quorate(['lab', 'experiment', 'elections', '--quick', '--out', join(out, 'whole')]);
    expect(code).toBe(2);
    expect(err).toContain('hosts h1,h2,h3, not this machine');
  });

  /** Starts the command, and does something to it as soon as so many of its servers run. */
  async function disturbed(
    home: string,
    servers: number,
    disturb: (pid: number) => void,
  ): Promise<Ran & { readonly pid: number }> {
    const child = spawn(process.execPath, [QUORATE_ENTRY, ...command(KILLED, home, 'h1,h2,h3')], { stdio: 'pipe' });
    let [said, complained] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString('utf8')));
    child.stderr.on('data', (bytes: Buffer) => (complained += bytes.toString('utf8')));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await expect.poll(() => said, { timeout: 20_000 }).toContain('connecting to h1, h2, h3');
    const running = (): number => hosts.left().processes.filter((each) => each.includes(' serve ')).length;
    await expect.poll(running, { timeout: 20_000 }).toBe(servers);
    disturb(child.pid ?? 0);
    const code = await ended;
    // What has lost its connection ends by itself, as soon as it notices.
    await expect.poll(() => hosts.left(), { timeout: 10_000 }).toEqual(NOTHING);
    return { code, out: said, err: complained, pid: child.pid ?? 0 };
  }

  it.each([
    ['connects', 0],
    ['measures', 3],
  ])(
    'leaves nothing behind when it is interrupted while it %s',
    async (moment, servers) => {
      const home = `interrupted-${moment}`;
      const { code, err, pid: ended } = await disturbed(home, servers, (pid) => process.kill(pid, 'SIGINT'));
      expect(err).not.toContain('Abort');
      expect(code).toBe(130);
      const here = [...readdirSync(tmpdir()), ...readdirSync('/tmp')];
      expect(here.filter((name) => name.includes(`-${ended}-`))).toEqual([]);
    },
    60_000,
  );

  it('leaves nothing on the hosts when it is killed', async () => {
    const { code } = await disturbed('killed', 3, (pid) => process.kill(pid, 'SIGKILL'));
    expect(code).toBe(null);
  }, 60_000);

  describe('when something is wrong with a host', () => {
    const fails = async (list: string, ...more: string[]): Promise<string> => {
      const { code, err } = await quorate(command(KILLED, 'wrong', list, ...more));
      expect(code).toBe(1);
      expect(hosts.left()).toEqual(NOTHING);
      return err;
    };

    it('says that it cannot be reached', async () => {
      const err = await fails('h1,h2:1');
      expect(err).toMatch(
        /^Error: h2:1 cannot be reached over ssh: .*refused.*\. It must let you in by key, .*ssh -o BatchMode=yes -p 1 h2/,
      );
    });

    it('says that its Node.js is too old, or not there', async () => {
      const old = join(out, 'old-node');
      writeFileSync(old, '#!/bin/sh\necho 18.20.4\n');
      chmodSync(old, 0o755);
      expect(await fails('h1', '--hosts-node', old)).toContain('h1 has Node.js 18.20.4. At least 20.19 is needed');
      expect(await fails('h1', '--hosts-node', 'no-node')).toContain(
        'h1 has no Node.js that a command over ssh finds as "no-node"',
      );
    });

    it('says that its Node.js does not run what it is given', async () => {
      const lame = join(out, 'lame-node');
      writeFileSync(lame, '#!/bin/sh\ncase "$1" in -p) echo 20.19.0;; *) echo cannot run >&2; exit 1;; esac\n');
      chmodSync(lame, 0o755);
      expect(await fails('h1', '--hosts-node', lame)).toContain('h1 does not start its agent (cannot run)');
    });

    it('says that there is no room for the build', async () => {
      expect(await fails('h3', '--hosts-dir', join(out, 'nowhere'))).toMatch(
        /h3 lets no directory be made in .*Name another with --hosts-dir/,
      );
    });

    it('says that an address is not its own', async () => {
      const err = await fails('h1=192.0.2.7');
      expect(err).toMatch(
        /^Error: No server could listen on h1=192.0.2.7: .*not an address of its own, name one: h1=ADDRESS/,
      );
    });

    it('says that servers could not reach each other', async () => {
      // Only namespaces can be separated.
      if (!hosts.areNamespaces) return;
      hosts.separate(1, 2);
      try {
        expect(await fails('h1,h2,h3')).toMatch(
          /A server on h[23] would listen at .*, and h[23] does not reach that: .*h[23]=ADDRESS/,
        );
      } finally {
        hosts.rejoin(1, 2);
      }
    });

    it('refuses names that are none, before anything is done', async () => {
      const { code, err } = await quorate(command(KILLED, 'wrong', '-oProxyCommand=x'));
      expect(code).toBe(2);
      expect(err).toContain('"-oProxyCommand=x" is no host');
      expect(existsSync(join(out, 'wrong/running'))).toBe(false);
    });
  });

  it('ends with an error when a host is lost, and clears away what is on the others', async () => {
    const { code, err } = await disturbed('lost', 3, () => hosts.kill(1));
    expect(code).toBe(1);
    expect(err).toMatch(/^Error: The host h2 was lost in the middle of the run/);
    expect(readdirSync(join(out, 'lost/elections/cells')).filter((name) => name.endsWith('.json'))).toEqual([]);
  }, 60_000);
});
