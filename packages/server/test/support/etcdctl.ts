/** Runs etcdctl as a person would. */
import { spawn } from 'node:child_process';

export interface EtcdctlResult {
  readonly code: number | null;
  readonly stdout: string;
  /** The last line: what went wrong, without the warnings of the client library before it. */
  readonly error: string;
}

export async function etcdctl(
  binary: string,
  endpoints: readonly string[],
  args: readonly string[],
  input = '',
): Promise<EtcdctlResult> {
  const child = spawn(binary, [`--endpoints=${endpoints.join(',')}`, '--command-timeout=20s', ...args], {
    env: { ...process.env, ETCDCTL_API: '3' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A command that refuses its flags leaves before it reads.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve);
    child.on('error', reject);
  });
  const lines = Buffer.concat(err).toString().trimEnd().split('\n');
  return { code, stdout: Buffer.concat(out).toString(), error: lines.at(-1) ?? '' };
}
