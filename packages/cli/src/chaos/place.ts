/** Where the servers of a run live, and what can be done to the network between them. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  askPage,
  clientAddress,
  type ClusterLayout,
  layoutOnFreePorts,
  type LocalServer,
  type ServerProgram,
} from '@quorate/processes';
import { quorateProgram } from '../programs.ts';
import type { FaultKind } from './faults.ts';

/** One end of a cut: a server by number, or all clients. */
export type End = number | 'clients';

/** Traffic from one to another that does not arrive. */
export interface Cut {
  readonly from: End;
  readonly to: End;
}

export interface Place {
  /** For people. */
  readonly description: string;
  /** Faults that cannot be made here. */
  readonly missing: readonly FaultKind[];
  /** Whether the network is cut outside the servers, so that a cut does not depend on their state. */
  readonly cutsOutside: boolean;
  layout(directory: string, servers: number): Promise<ClusterLayout>;
  program(): ServerProgram;
  /** Makes exactly these cuts; all others are healed. */
  cut(cuts: readonly Cut[], servers: readonly LocalServer[]): Promise<void>;
  /** Asks a page that a server opens to its own machine only. */
  ask(server: LocalServer, path: string): Promise<void>;
  /** Leaves nothing behind. Called after the servers have ended; also in the middle of a crash, hence at once. */
  remove(): void;
}

const FLAGS = ['--enable-fault-injection'];
const RETRY_MS = 50;

/** All on this machine's loopback address; the servers cut themselves off, by their own fault injection. */
export class Loopback implements Place {
  readonly description = 'loopback, network cut by the servers themselves';
  // They swallow what comes and what goes alike, and only among themselves.
  readonly missing = ['one-way', 'cut-clients'] as const;
  readonly cutsOutside = false;

  layout(directory: string, servers: number): Promise<ClusterLayout> {
    return layoutOnFreePorts(directory, servers, 'chaos');
  }

  program(): ServerProgram {
    return quorateProgram(FLAGS);
  }

  async cut(cuts: readonly Cut[], servers: readonly LocalServer[]): Promise<void> {
    await Promise.all(
      servers.map(async (server, at) => {
        const others = servers.filter((_, other) =>
          cuts.some(({ from, to }) => (from === at && to === other) || (from === other && to === at)),
        );
        await this.#tell(server, others.map(({ member }) => member.name).join(','));
      }),
    );
  }

  // A server that is down needs no telling: it comes back without cuts. One that is busy is asked until it has heard.
  async #tell(server: LocalServer, others: string): Promise<void> {
    const first = server.process.pid;
    for (let pid = first; pid !== null && pid === first; pid = server.process.pid) {
      try {
        await this.ask(server, `/debug/partition?from=${others}`);
        return;
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  async ask(server: LocalServer, path: string): Promise<void> {
    await askPage('POST', clientAddress(server.member), path);
  }

  remove(): void {
    // The ports went with the servers.
  }
}
