import type { Disk, Environment, Logger, Network } from '../environment.ts';
import { nodeClock } from './clock.ts';
import { stderrLogger } from './logger.ts';
import { nodeRandom } from './random.ts';
import { tcpNetwork } from './tcp-network.ts';
import { nodeTimers } from './timers.ts';
import { openNodeDisk } from './disk.ts';

export interface NodeEnvironmentOptions {
  /** Where this server keeps its log and snapshots; created if absent. One server each. */
  readonly dataDirectory: string;
  /** Lines on standard error where this is not given. */
  readonly logger?: Logger;
  /** For tests and fault injection: stands in the place of TCP. */
  readonly network?: Network;
  /** Stands in the place of the real disk. */
  readonly disk?: Disk;
}

/** The real world, as Node.js gives it: one for each server in a process. */
export function nodeEnvironment(options: NodeEnvironmentOptions): Environment {
  return {
    clock: nodeClock,
    timers: nodeTimers,
    random: nodeRandom(),
    disk: options.disk ?? openNodeDisk(options.dataDirectory),
    network: options.network ?? tcpNetwork(),
    logger: options.logger ?? stderrLogger(),
  };
}
