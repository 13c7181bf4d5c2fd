import { execFileSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { eachLine } from '../src/agent/lines.ts';
import { quoted, sshArguments } from '../src/places/ssh.ts';

const HOST = { text: 'me@h:22', target: 'me@h', port: 2222, address: null };

describe('What ssh is called with', () => {
  it('asks nobody, notices a host that is gone, and shares one connection', () => {
    const args = sshArguments(HOST, 'true', 'first', { config: '/c', socket: '/s' });
    expect(args.slice(0, 2)).toEqual(['-F', '/c']);
    for (const option of ['BatchMode=yes', 'ServerAliveInterval=5', 'ControlMaster=yes', 'ControlPath=/s'])
      expect(args).toContain(option);
    expect(args.slice(-5)).toEqual(['-p', '2222', '-T', 'me@h', "exec sh -c 'true'"]);
    const further = sshArguments({ ...HOST, port: null }, 'true', 'further', { config: null, socket: '/s' });
    expect(further).toContain('ControlMaster=no');
    expect(further).not.toContain('-F');
    expect(further).not.toContain('-p');
  });

  it('hands over every word as it is, through two shells', () => {
    const word = `a 'b' "c" $HOME \`date\` ; & | > * \\ é`;
    const script = `printf %s ${quoted(word)}`;
    expect(execFileSync('sh', ['-c', `exec sh -c ${quoted(script)}`], { encoding: 'utf8' })).toBe(word);
  });
});

describe('Lines of a stream', () => {
  const heard = (chunks: readonly string[], most = 100): { readonly lines: string[]; readonly stream: PassThrough } => {
    const stream = new PassThrough();
    const lines: string[] = [];
    eachLine(stream, most, (line) => lines.push(line));
    for (const chunk of chunks) stream.write(chunk);
    return { lines, stream };
  };

  it('come whole, however they arrive', async () => {
    const { lines, stream } = heard(['on', 'e\ntwo\n\nth', 'ree', '\nrest']);
    await new Promise((resolve) => stream.end(resolve));
    expect(lines).toEqual(['one', 'two', '', 'three']);
  });

  it('that are too long end it', async () => {
    const { lines, stream } = heard([]);
    const failed = new Promise<Error>((resolve) => stream.once('error', resolve));
    stream.write('x'.repeat(101));
    expect((await failed).message).toBe('A line of more than 100 bytes.');
    expect(lines).toEqual([]);
  });
});
