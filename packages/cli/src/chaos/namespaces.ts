/**
 * One network namespace a server, joined by a bridge (root, Linux, iproute2). A cut is a route into nowhere: packets vanish without
 * a word, one way if that is wanted, and connections stay open.
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { type ClusterLayout, type LocalServer, type ServerProgram, writeLayout } from '@quorate/processes';
import { quorateProgram } from '../programs.ts';
import type { Cut, End, Place } from './place.ts';

const run = promisify(execFile);
const CLIENT_PORT = 2379;
const PEER_PORT = 2380;
/** How the names of namespaces begin; the number of the process that made them follows. */
const SPACE_PREFIX = 'qchaos';
const BRIDGE_PREFIX = 'qcb';
const ASK_TIMEOUT_MS = 5_000;
/** The last part of the bridge's address. */
const CLIENTS_HOST = 254;

export class Namespaces implements Place {
  readonly description = 'network namespaces, cut by routes into nowhere';
  readonly missing = [];
  readonly cutsOutside = true;
  readonly #pid: number;
  readonly #network: string;
  /** Named by `nameOf`. */
  #cuts = new Map<string, Cut>();

  constructor(pid: number) {
    this.#pid = pid;
    this.#network = networkOf(pid);
  }

  layout(directory: string, servers: number): Promise<ClusterLayout> {
    const bridge = `${BRIDGE_PREFIX}${this.#pid}`;
    ip(`link add ${bridge} type bridge`);
    ip(`addr add ${this.#address('clients')}/24 dev ${bridge}`);
    ip(`link set ${bridge} up`);
    for (let at = 0; at < servers; at++) this.#addSpace(at, bridge);
    const members = Array.from({ length: servers }, (_, at) => {
      return { name: `s${at + 1}`, clientPort: CLIENT_PORT, peerPort: PEER_PORT, host: this.#address(at) };
    });
    const layout = { token: 'chaos', members };
    writeLayout(directory, layout);
    return Promise.resolve(layout);
  }

  #addSpace(at: number, bridge: string): void {
    const space = this.#space(at);
    const outside = `qv${this.#pid}o${at}`;
    const inside = `qv${this.#pid}i${at}`;
    ip(`netns add ${space}`);
    ip(`link add ${outside} type veth peer name ${inside}`);
    ip(`link set ${inside} netns ${space}`);
    ip(`link set ${outside} master ${bridge}`);
    ip(`link set ${outside} up`);
    ip(`-n ${space} link set lo up`);
    ip(`-n ${space} addr add ${this.#address(at)}/24 dev ${inside}`);
    ip(`-n ${space} link set ${inside} up`);
  }

  program(): ServerProgram {
    const { command, args, env } = quorateProgram(['--enable-fault-injection']);
    return {
      command: 'ip',
      args: (layout, member, directory) => {
        const at = layout.members.indexOf(member);
        // Also on the inner loopback address: the pages that hurt a server answer only there.
        const local = `http://127.0.0.1:${CLIENT_PORT}`;
        const flags = args(layout, member, directory);
        const listen = flags.indexOf('--listen-client-urls') + 1;
        flags[listen] = `${flags[listen]},${local}`;
        return ['netns', 'exec', this.#space(at), command, ...flags];
      },
      env,
    };
  }

  async cut(cuts: readonly Cut[], _servers: readonly LocalServer[]): Promise<void> {
    const wanted = new Map(cuts.map((cut) => [nameOf(cut), cut]));
    const before = this.#cuts;
    this.#cuts = wanted;
    await Promise.all([
      ...[...wanted].filter(([name]) => !before.has(name)).map(([, cut]) => this.#route('add', cut)),
      ...[...before].filter(([name]) => !wanted.has(name)).map(([, cut]) => this.#route('del', cut)),
    ]);
  }

  async #route(action: 'add' | 'del', { from, to }: Cut): Promise<void> {
    // Clients are on this machine, outside of every namespace, at the bridge's own address.
    const where = from === 'clients' ? [] : ['-n', this.#space(from)];
    await run('ip', [...where, 'route', action, 'blackhole', `${this.#address(to)}/32`]);
  }

  async ask(server: LocalServer, path: string): Promise<void> {
    const at = server.member.name.slice(1);
    const ask = `const answer = await fetch('http://127.0.0.1:${CLIENT_PORT}${path}', { method: 'POST' });
      if (!answer.ok) throw new Error(await answer.text());`;
    const node = [process.execPath, '--input-type=module', '-e', ask];
    await run('ip', ['netns', 'exec', this.#space(Number(at) - 1), ...node], { timeout: ASK_TIMEOUT_MS });
  }

  remove(): void {
    removeNamespaces(this.#pid);
  }

  #space(at: number): string {
    return `${SPACE_PREFIX}-${this.#pid}-${at}`;
  }

  #address(end: End): string {
    return `${this.#network}.${end === 'clients' ? CLIENTS_HOST : end + 1}`;
  }
}

function nameOf({ from, to }: Cut): string {
  return `${from}>${to}`;
}

function networkOf(pid: number): string {
  return `10.${200 + (pid % 50)}.${(pid >> 6) % 256}`;
}

/** Whether this process may make namespaces: tried, not guessed. */
export function mayMakeNamespaces(): boolean {
  const trial = `${SPACE_PREFIX}-${process.pid}-trial`;
  try {
    ip(`netns add ${trial}`);
    ip(`-n ${trial} link set lo up`);
    ip(`netns del ${trial}`);
    return true;
  } catch {
    // No root, no iproute2, or a kernel or container that does not let us: the run goes on without.
    return false;
  }
}

/** The processes that made the namespaces there are. */
export function namespaceOwners(): readonly number[] {
  let text: string;
  try {
    text = ip('netns list');
  } catch {
    // Without iproute2 there are none of ours.
    return [];
  }
  const owners = [...text.matchAll(new RegExp(`^${SPACE_PREFIX}-([0-9]+)-`, 'gm'))].map((match) => Number(match[1]));
  return [...new Set(owners)];
}

/** Removes what the process `pid` made: namespaces (with them their ends of the cables), cuts outside of them, and the bridge. */
export function removeNamespaces(pid: number): void {
  for (const [, address = ''] of ip('route show type blackhole').matchAll(/^blackhole (\S+)/gm)) {
    if (address.startsWith(`${networkOf(pid)}.`)) ip(`route del blackhole ${address}`);
  }
  for (const [, name] of ip('netns list').matchAll(new RegExp(`^(${SPACE_PREFIX}-${pid}-\\S+)`, 'gm'))) {
    ip(`netns del ${name}`);
  }
  const bridge = `${BRIDGE_PREFIX}${pid}`;
  if (ip('-o link show type bridge').includes(`${bridge}:`)) ip(`link del ${bridge}`);
}

function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
