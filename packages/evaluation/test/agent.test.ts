import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '@quorate/processes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eachLine } from '../src/agent/lines.ts';
import {
  type AgentMessage,
  type AgentRequest,
  HOST_DIRECTORY_KIND,
  MAX_LINE_BYTES,
  SILENCE_LIMIT_MS,
} from '../src/agent/methods.ts';
import { AGENT_THERE, ENTRY_THERE, packBuild } from '../src/places/build.ts';
import { ENTRY } from './support/here.ts';

/** The build as a host gets it, unpacked, and its agent as a process. */
describe('The agent of a host', () => {
  let directory = '';
  let root = '';
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'quorate-agent-'));
    root = join(directory, `${HOST_DIRECTORY_KIND}${process.pid}-root`);
    mkdirSync(root);
    execFileSync('tar', ['-xzf', await packBuild(ENTRY, directory), '-C', root]);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function started(): {
    readonly child: ChildProcess;
    readonly messages: AgentMessage[];
    readonly ask: (request: AgentRequest) => void;
  } {
    const settings = JSON.stringify({ root, address: '127.0.0.1', ports: null, version: 'test' });
    const child = spawn(process.execPath, [join(root, AGENT_THERE), settings], { stdio: ['pipe', 'pipe', 'inherit'] });
    const messages: AgentMessage[] = [];
    eachLine(child.stdout, MAX_LINE_BYTES, (line) => messages.push(JSON.parse(line) as AgentMessage));
    return { child, messages, ask: (request) => void child.stdin.write(`${JSON.stringify(request)}\n`) };
  }

  it('has a build that is complete, and without what only draws', () => {
    expect(execFileSync(process.execPath, [join(root, ENTRY_THERE), 'version'], { encoding: 'utf8' })).toMatch(
      /^quorate /,
    );
    const packages = readdirSync(join(root, 'node_modules'));
    expect(packages).toContain('commander');
    expect(packages).not.toContain('vega');
    expect(readdirSync(join(root, 'node_modules/@quorate/raft'))).toEqual(['dist', 'package.json']);
  });

  it('has one that is installed as from a registry, and could be handed on', async () => {
    const again = join(directory, 'again');
    mkdirSync(again);
    execFileSync('tar', ['-xzf', await packBuild(join(root, ENTRY_THERE), directory), '-C', again]);
    const files = (of: string): readonly string[] => readdirSync(of, { recursive: true, encoding: 'utf8' }).toSorted();
    expect(files(again)).toEqual(files(root));
  });

  it('does what it is asked, and ends with everything when nobody holds its input any more', async () => {
    const { child, messages, ask } = started();
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await expect.poll(() => messages.some((each) => 'ready' in each), { timeout: 20_000 }).toBe(true);
    const pidFile = join(root, 'pid');
    const spec = {
      name: 'sleeper',
      command: 'sh',
      args: ['-c', `echo $$ > ${pidFile}; echo said; exec sleep 60`],
      logFile: join(root, 'log'),
    };
    ask({ call: 1, method: 'start', args: [7, spec] });
    await expect.poll(() => existsSync(pidFile), { timeout: 10_000 }).toBe(true);
    const pid = Number(execFileSync('cat', [pidFile], { encoding: 'utf8' }));
    ask({ call: 2, method: 'signal', args: [7, 'SIGSTOP'] });
    ask({ call: 3, method: 'signal', args: [8, 'SIGSTOP'] });
    ask({ call: 4, method: 'freePorts', args: [2] });
    ask({ call: 5, method: 'readLog', args: [spec.logFile] });
    await expect.poll(() => messages.length, { timeout: 10_000 }).toBe(6);
    const replyTo = (call: number): AgentMessage | undefined =>
      messages.find((each) => 'reply' in each && each.reply === call);
    expect(replyTo(3)).toEqual({ reply: 3, error: 'There is no process 8.' });
    expect(replyTo(4)).toMatchObject({ result: [expect.any(Number), expect.any(Number)] });
    expect(replyTo(5)).toEqual({ reply: 5, result: 'said\n' });
    expect(isAlive(pid)).toBe(true);
    const since = performance.now();
    child.stdin?.end();
    expect(await ended).toBe(0);
    // Because it was told, not because it heard nothing for so long.
    expect(performance.now() - since).toBeLessThan(SILENCE_LIMIT_MS - 5_000);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(root)).toBe(false);
  }, 60_000);

  it('tells how a process ended, and the end of its log', async () => {
    const { child, messages, ask } = started();
    const spec = { name: 'brief', command: 'sh', args: ['-c', 'echo broken; exit 3'], logFile: join(root, 'log') };
    ask({ call: 1, method: 'start', args: [1, spec] });
    const end = { ended: 1, exit: { code: 3, signal: null }, logTail: 'broken' };
    await expect.poll(() => messages, { timeout: 20_000 }).toContainEqual(end);
    child.stdin?.end();
    await new Promise((resolve) => child.once('exit', resolve));
  }, 60_000);

  it('clears away what an agent left that is gone', async () => {
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await new Promise((resolve) => gone.once('exit', resolve));
    const left = join(directory, `${HOST_DIRECTORY_KIND}${gone.pid}-x`);
    mkdirSync(left);
    writeFileSync(join(left, 'file'), '');
    const { child, messages } = started();
    await expect.poll(() => messages.length, { timeout: 20_000 }).toBe(1);
    expect(messages[0]).toMatchObject({ ready: { cleared: [expect.stringContaining(left)] } });
    expect(existsSync(left)).toBe(false);
    child.stdin?.end();
    await new Promise((resolve) => child.once('exit', resolve));
  }, 60_000);
});
