/** A whole cluster in one process: servers, network, disks and clocks, all of them virtual, and those who watch. */
import type { LogLevel } from '@quorate/runtime';
import type { DiskFaultKind } from '../disk/index.ts';
import type { RandomStreams } from '../random.ts';
import type { Violation } from '../watch.ts';
import { Audience } from './audience.ts';
import { WorldClock } from './clock.ts';
import { VirtualNetwork } from './network.ts';
import type { ServerProcess } from './process.ts';
import { Consensus } from './replica.ts';

/** Lines kept for a report. */
const KEPT_LINES = 200;

export interface LogLine {
  readonly at: number;
  readonly server: string;
  readonly level: LogLevel;
  readonly message: string;
}

export class World {
  readonly clock = new WorldClock();
  readonly consensus = new Consensus();
  readonly network: VirtualNetwork;
  readonly servers: ServerProcess[] = [];
  readonly audience = new Audience();
  /** A request's longest time in a server. Microseconds. */
  readonly requestTimeout: number;
  readonly diskFaults = new Map<DiskFaultKind, number>();
  #lines: LogLine[] = [];

  constructor(streams: RandomStreams, requestTimeout: number) {
    this.network = new VirtualNetwork(this.clock, streams.network);
    this.requestTimeout = requestTimeout;
  }

  server(id: string): ServerProcess {
    const server = this.servers.find((each) => each.id === id);
    if (server === undefined) throw new Error(`There is no server ${id}.`);
    return server;
  }

  /** The first invariant that was broken; the run ends with it. */
  get violation(): Violation | null {
    return this.audience.violation;
  }

  /** Lets time pass up to `end`; false if a violation ended it before. */
  runUntil(end: number): boolean {
    while (this.violation === null && this.clock.step(end));
    return this.violation === null;
  }

  onLog(server: string, level: LogLevel, message: string): void {
    if (this.#lines.length >= 2 * KEPT_LINES) this.#lines = this.#lines.slice(KEPT_LINES);
    this.#lines.push({ at: this.clock.now, server, level, message });
  }

  onDiskFault(server: string, kind: DiskFaultKind, path: string): void {
    this.diskFaults.set(kind, (this.diskFaults.get(kind) ?? 0) + 1);
    this.audience.onDiskFault(server, kind, path);
  }

  /** The newest lines that servers logged. */
  get lines(): readonly LogLine[] {
    return this.#lines.slice(-KEPT_LINES);
  }
}
