/**
 * Hosts to rehearse on: network namespaces of this machine, joined by a bridge, each with an sshd of its own that lets one key in. All of it
 * stands in a temporary directory; the system's own sshd and keys are not touched. Who may not make namespaces gets further loopback addresses
 * instead (Linux has all of 127.0.0.0/8).
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@quorate/processes';
import { mayMakeNamespaces } from '../../src/chaos/namespaces.ts';
import { findPeer } from '../../../../test-support/peers.ts';

const COUNT = 3;
/** Without it an sshd that root starts refuses to run. */
const PRIVILEGE_SEPARATION = '/run/sshd';

export class SshHosts {
  readonly names = Array.from({ length: COUNT }, (_, at) => `h${at + 1}`);
  /** For ssh's -F. */
  readonly config: string;
  /** Where on the hosts everything stands that a run brings there. */
  readonly data: string;
  readonly areNamespaces: boolean;
  readonly #home: string;
  readonly #port: number;
  readonly #daemons: ChildProcess[] = [];

  private constructor(home: string, port: number, areNamespaces: boolean) {
    this.#home = home;
    this.#port = port;
    this.areNamespaces = areNamespaces;
    this.config = join(home, 'config');
    this.data = join(home, 'data');
  }

  static async open(): Promise<SshHosts> {
    const [port = 0] = await freePorts(1);
    const hosts = new SshHosts(mkdtempSync(join(tmpdir(), 'quorate-ssh-hosts-')), port, mayMakeNamespaces());
    try {
      await hosts.#open();
    } catch (error) {
      hosts.close();
      throw error;
    }
    return hosts;
  }

  async #open(): Promise<void> {
    mkdirSync(this.data);
    this.#keys();
    if (this.areNamespaces) this.#namespaces();
    if (userInfo().uid === 0) mkdirSync(PRIVILEGE_SEPARATION, { recursive: true });
    for (const [at, name] of this.names.entries()) {
      appendFileSync(this.config, `Host ${name}\n  HostName ${this.#address(at)}\n`);
      this.#daemon(at);
    }
    appendFileSync(this.config, this.#common());
    for (const at of this.names.keys()) await this.#listens(at);
  }

  #keys(): void {
    for (const name of ['host-key', 'user-key'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', this.#file(name)]);
    const known = readFileSync(this.#file('host-key.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    const lines = [...this.names.keys()].map((at) => `[${this.#address(at)}]:${this.#port} ${known}\n`);
    writeFileSync(this.#file('known-hosts'), lines.join(''));
  }

  #common(): string {
    return [
      'Host *',
      `  User ${userInfo().username}`,
      `  Port ${this.#port}`,
      `  IdentityFile ${this.#file('user-key')}`,
      '  IdentitiesOnly yes',
      '  StrictHostKeyChecking yes',
      `  UserKnownHostsFile ${this.#file('known-hosts')}`,
      '',
    ].join('\n');
  }

  #daemon(at: number): void {
    const config = this.#file(`sshd-${at}`);
    const settings = [
      `ListenAddress ${this.#address(at)}:${this.#port}`,
      `HostKey ${this.#file('host-key')}`,
      `AuthorizedKeysFile ${this.#file('user-key.pub')}`,
      'AuthenticationMethods publickey',
      'PermitRootLogin prohibit-password',
      // The keys stand below a directory that everybody may write to.
      'StrictModes no',
      'UsePAM no',
      'PidFile none',
      '',
    ];
    writeFileSync(config, settings.join('\n'));
    const sshd = [findPeer('sshd') ?? 'sshd', '-D', '-f', config, '-E', this.#file(`sshd-${at}.log`)];
    const [command = '', ...args] = this.areNamespaces ? ['ip', 'netns', 'exec', this.#space(at), ...sshd] : sshd;
    this.#daemons.push(spawn(command, args, { stdio: 'ignore' }));
  }

  async #listens(at: number): Promise<void> {
    for (let left = 250; left > 0; left--) {
      if (await accepts(this.#address(at), this.#port)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const log = this.#file(`sshd-${at}.log`);
    throw new Error(`sshd does not listen: ${existsSync(log) ? readFileSync(log, 'utf8') : 'it says nothing'}`);
  }

  /** Everything of ssh on that host dies at once: who listens and who serves a connection. What they had started does not. */
  kill(at: number): void {
    const daemon = this.#daemons[at]?.pid ?? 0;
    const sessions = childrenOf(daemon);
    for (const pid of [...sessions.flatMap(childrenOf).filter(isSshd), ...sessions, daemon]) endProcess(pid);
  }

  /** What is there of a run on any host: directories, and processes that are called with a path below them. */
  left(): { readonly directories: readonly string[]; readonly processes: readonly string[] } {
    const processes = pids()
      .map(commandOf)
      .filter((command) => command.includes(`${this.data}/`));
    return { directories: readdirSync(this.data), processes };
  }

  close(): void {
    for (const [at] of this.#daemons.entries()) this.kill(at);
    if (this.areNamespaces) this.#removeNamespaces();
    rmSync(this.#home, { recursive: true });
  }

  #file(name: string): string {
    return join(this.#home, name);
  }

  #address(at: number): string {
    return `${this.#network()}.${at + 1}`;
  }

  #network(): string {
    return this.areNamespaces
      ? `10.${130 + (process.pid % 50)}.${(process.pid >> 6) % 256}`
      : `127.9.${process.pid % 256}`;
  }

  #space(at: number): string {
    return `qssh-${process.pid}-${at}`;
  }

  #namespaces(): void {
    const bridge = `qsb${process.pid}`;
    ip(`link add ${bridge} type bridge`);
    ip(`addr add ${this.#network()}.254/24 dev ${bridge}`);
    ip(`link set ${bridge} up`);
    for (const at of this.names.keys()) {
      const space = this.#space(at);
      const [outside, inside] = [`qs${process.pid}o${at}`, `qs${process.pid}i${at}`];
      ip(`netns add ${space}`);
      ip(`link add ${outside} type veth peer name ${inside}`);
      ip(`link set ${inside} netns ${space}`);
      ip(`link set ${outside} master ${bridge} up`);
      ip(`-n ${space} link set lo up`);
      ip(`-n ${space} addr add ${this.#address(at)}/24 dev ${inside}`);
      ip(`-n ${space} link set ${inside} up`);
    }
  }

  /** From now on that host does not reach this other one: packets vanish. Namespaces only. */
  separate(from: number, to: number): void {
    ip(`-n ${this.#space(from)} route add blackhole ${this.#address(to)}/32`);
  }

  rejoin(from: number, to: number): void {
    ip(`-n ${this.#space(from)} route del blackhole ${this.#address(to)}/32`);
  }

  #removeNamespaces(): void {
    for (const at of this.names.keys())
      if (ip('netns list').includes(this.#space(at))) ip(`netns del ${this.#space(at)}`);
    const bridge = `qsb${process.pid}`;
    if (ip('-o link show type bridge').includes(`${bridge}:`)) ip(`link del ${bridge}`);
  }
}

function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function childrenOf(parent: number): readonly number[] {
  return pids().filter((pid) => new RegExp(`^PPid:\\s+${parent}$`, 'm').test(readProc(pid, 'status')));
}

function isSshd(pid: number): boolean {
  return readProc(pid, 'status').startsWith('Name:\tsshd');
}

function commandOf(pid: number): string {
  return readProc(pid, 'cmdline').replaceAll('\0', ' ');
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It has just ended.
    return '';
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has just ended.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
