import { mkdirSync } from 'node:fs';
import { type ClusterLayout, type LayoutMember, logFile, writeLayout } from './layout.ts';
import { ManagedProcess, type ProcessExit } from './managed-process.ts';
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
  readonly servers: readonly LocalServer[];

  constructor(
    program: ServerProgram,
    layout: ClusterLayout,
    directory: string,
    onExit: ((member: LayoutMember, exit: ProcessExit) => void) | null = null,
  ) {
    this.layout = layout;
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    this.servers = layout.members.map((member) => ({
      member,
      process: new ManagedProcess(
        {
          name: member.name,
          command: program.command,
          args: program.args(layout, member, directory),
          env: program.env,
          logFile: logFile(directory, member),
        },
        onExit === null ? null : (exit) => onExit(member, exit),
      ),
    }));
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
