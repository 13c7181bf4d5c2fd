/** The system's ssh. It asks nobody anything: hosts must let us in by key. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { HostName } from './host-name.ts';

const CONNECT_TIMEOUT_SECONDS = 10;
/** A host that is silent for three times so long is lost. */
const ALIVE_EVERY_SECONDS = 5;
/** What is kept of what ssh says: its beginning and its end. */
const MAX_COMPLAINT_CHARACTERS = 4_000;

export interface SshOptions {
  /** Null: ssh's own. */
  readonly config: string | null;
  /** Where the socket of the shared connection stands. */
  readonly socket: string;
}

/** One session on a host. */
export class SshSession {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #beginning = '';
  #end = '';
  /** Resolves with the exit code when it is over; null when a signal ended it. */
  readonly ended: Promise<number | null>;

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#child = child;
    // The other end is gone: `ended` tells.
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (bytes: Buffer) => {
      const text = bytes.toString('utf8');
      this.#beginning = (this.#beginning + text).slice(0, MAX_COMPLAINT_CHARACTERS);
      this.#end = (this.#end + text).slice(-MAX_COMPLAINT_CHARACTERS);
    });
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#end = error.message;
        resolve(null);
      });
      child.once('close', (code) => resolve(code));
    });
  }

  get input(): Writable {
    return this.#child.stdin;
  }

  get output(): Readable {
    return this.#child.stdout;
  }

  /** The last line that ssh, or what it ran, said on standard error; empty if nothing. */
  get complaint(): string {
    return this.#end.trim().split('\n').at(-1)?.trim() ?? '';
  }

  /** The first one: a program that fails often says why, and then that it has failed. */
  get firstComplaint(): string {
    return this.#beginning.trim().split('\n')[0]?.trim() ?? '';
  }

  /** Ends our side of it. The host hears that its input is over. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** The first session makes the connection, and the others go through it. */
export type SessionKind = 'first' | 'further';

/** Starts `script` by a shell of the host. */
export function openSession(host: HostName, script: string, kind: SessionKind, options: SshOptions): SshSession {
  const child = spawn('ssh', sshArguments(host, script, kind, options), {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C in the terminal is for us alone: what runs on the hosts is ended in order.
    detached: true,
  });
  return new SshSession(child);
}

export function sshArguments(
  { target, port }: HostName,
  script: string,
  kind: SessionKind,
  { config, socket }: SshOptions,
): readonly string[] {
  const settings = {
    BatchMode: 'yes',
    ConnectTimeout: CONNECT_TIMEOUT_SECONDS,
    ServerAliveInterval: ALIVE_EVERY_SECONDS,
    ServerAliveCountMax: 3,
    ControlMaster: kind === 'first' ? 'yes' : 'no',
    ControlPath: socket,
    ControlPersist: 'no',
  };
  return [
    ...(config === null ? [] : ['-F', config]),
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...(port === null ? [] : ['-p', String(port)]),
    '-T',
    target,
    `exec sh -c ${quoted(script)}`,
  ];
}

/** One word for any shell. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
