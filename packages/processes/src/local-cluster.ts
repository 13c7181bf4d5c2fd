import { mkdirSync } from 'node:fs';
import { type ClusterLayout, type LayoutMember, logFile, writeLayout } from './layout.ts';
import { ManagedProcess, type ProcessExit, type ProcessSpec } from './managed-process.ts';
import { freePorts } from './ports.ts';
import type { ServerProgram } from './programs.ts';

export interface LocalServer {
  readonly member: LayoutMember;
  readonly process: ManagedProcess;
}

/** The processes of one cluster on this machine. */
export class LocalCluster {
  readonly layout: ClusterLayout;
  readonly directory: string;
  readonly #program: ServerProgram;
  readonly #servers: LocalServer[];

  constructor(
    program: ServerProgram,
    layout: ClusterLayout,
    directory: string,
    onExit: ((member: LayoutMember, exit: ProcessExit) => void) | null = null,
  ) {
    this.layout = layout;
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    this.#program = program;
    this.#servers = layout.members.map((member) => ({
      member,
      process: new ManagedProcess(
        this.#spec(member, program.args(layout, member, directory)),
        onExit === null ? null : (exit) => onExit(member, exit),
      ),
    }));
  }

  /** The founders, then those who were added. */
  get servers(): readonly LocalServer[] {
    return this.#servers;
  }

  /** A further server, not started yet, that asks at `doors` (`host:port`) to be let in. */
  add(member: LayoutMember, doors: readonly string[]): LocalServer {
    const args = this.#program.args({ token: this.layout.token, members: [member] }, member, this.directory);
    const spec = this.#spec(member, [...args, '--join', doors.join(',')]);
    const server = { member, process: new ManagedProcess(spec) };
    this.#servers.push(server);
    return server;
  }

  #spec(member: LayoutMember, args: readonly string[]): ProcessSpec {
    const { command, env } = this.#program;
    return { name: member.name, command, args, env, logFile: logFile(this.directory, member) };
  }

  server(index: number): LocalServer {
    const server = this.servers[index];
    if (server === undefined) throw new RangeError(`The cluster has ${this.servers.length} servers, none at ${index}.`);
    return server;
  }

  /** Starts every server that is down. */
  startAll(): void {
    for (const { process } of this.servers) if (!process.running) process.start();
  }

  /** Asks all to leave; resolves when none is left. */
  async stopAll(): Promise<void> {
    await Promise.all(this.servers.map(({ process }) => process.stop()));
  }

  async killAll(): Promise<void> {
    await Promise.all(this.servers.map(({ process }) => process.kill('SIGKILL')));
  }
}

/** A layout of `count` servers on ports that are free now, written down beside the data. */
export async function layoutOnFreePorts(directory: string, count: number, token: string): Promise<ClusterLayout> {
  const ports = await freePorts(count * 2);
  const members = Array.from({ length: count }, (_, at) => ({
    name: `s${at + 1}`,
    clientPort: ports[at * 2] ?? 0,
    peerPort: ports[at * 2 + 1] ?? 0,
  }));
  const layout = { token, members };
  writeLayout(directory, layout);
  return layout;
}
