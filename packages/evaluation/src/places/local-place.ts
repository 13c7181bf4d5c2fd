/** This machine: servers listen on its loopback address, their data stand below one directory. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  askPage,
  clientAddress,
  type LayoutMember,
  LOOPBACK,
  ManagedProcess,
  type ProcessSpec,
  serveProgram,
  type ServerProgram,
} from '@quorate/processes';
import { randomStream } from '@quorate/sim';
import type { LinkFault } from '../harness/link.ts';
import type { PortSource } from '../harness/port-range.ts';
import { Relay } from '../harness/relay.ts';
import type { Conditions } from '../report/conditions.ts';
import { endOfLog } from './log-end.ts';
import type { Place, RelayDoors, ServerProcess } from './place.ts';

export interface LocalPlaceOptions {
  /** The file that the command `quorate` runs. */
  readonly entry: string;
  /** Clusters get directories below this one. */
  readonly home: string;
  readonly ports: PortSource;
  readonly conditions: Conditions;
}

export class LocalPlace implements Place {
  readonly name = 'this machine';
  readonly address = LOOPBACK;
  readonly conditions: Conditions;
  readonly #options: LocalPlaceOptions;

  constructor(options: LocalPlaceOptions) {
    this.conditions = options.conditions;
    this.#options = options;
  }

  freePorts(count: number): Promise<readonly number[]> {
    return this.#options.ports(count);
  }

  newDirectory(name: string): Promise<string> {
    mkdirSync(this.#options.home, { recursive: true });
    return Promise.resolve(mkdtempSync(join(this.#options.home, `${name}-`)));
  }

  removeDirectory(directory: string): Promise<void> {
    rmSync(directory, { recursive: true, force: true });
    return Promise.resolve();
  }

  readLog(file: string): Promise<string | null> {
    return Promise.resolve(endOfLog(file));
  }

  serve(flags: readonly string[]): ServerProgram {
    return serveProgram(this.#options.entry, flags);
  }

  process(spec: ProcessSpec): ServerProcess {
    return new ManagedProcess(spec);
  }

  relay(fault: LinkFault, seed: number, name: string): RelayDoors {
    return uniformRelay(fault, seed, name, LOOPBACK);
  }

  async post(server: LayoutMember, path: string): Promise<void> {
    await askPage('POST', clientAddress(server), path);
  }
}

/** `address`: where its doors are, and where the servers behind them listen. */
export function uniformRelay(fault: LinkFault, seed: number, name: string, address: string): Relay {
  const relay = new Relay(randomStream(seed, name), address);
  relay.setRule(() => fault, fault);
  return relay;
}
