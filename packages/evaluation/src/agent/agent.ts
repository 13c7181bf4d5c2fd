/** Looks after the servers of an experiment on a host: starts and hurts them, and ends with everything it made. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { askPage, LOOPBACK, ManagedProcess, type ProcessSpec } from '@quorate/processes';
import type { LinkFault } from '../harness/link.ts';
import { type PortSource, portSource } from '../harness/port-range.ts';
import type { Relay } from '../harness/relay.ts';
import { uniformRelay } from '../places/local-place.ts';
import { endOfLog } from '../places/log-end.ts';
import { type AgentMessage, type AgentMethods, type AgentSettings, TOLD_LOG_LINES } from './methods.ts';

/** How long a connection to another host may take. */
const REACH_TIMEOUT_MS = 3_000;

export class Agent implements AgentMethods {
  readonly #settings: AgentSettings;
  readonly #say: (message: AgentMessage) => void;
  readonly #ports: PortSource;
  readonly #processes = new Map<number, ManagedProcess>();
  readonly #relays = new Map<number, Relay>();
  #listener: Server | null = null;

  constructor(settings: AgentSettings, say: (message: AgentMessage) => void) {
    this.#settings = settings;
    this.#say = say;
    // Servers listen on loopback, too: pages that hurt them answer only there.
    this.#ports = portSource(settings.ports, [settings.address, LOOPBACK]);
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  freePorts(count: number): Promise<readonly number[]> {
    return this.#ports(count);
  }

  newDirectory(name: string): Promise<string> {
    return Promise.resolve(mkdtempSync(join(this.#settings.root, `${name}-`)));
  }

  removeDirectory(directory: string): Promise<void> {
    rmSync(directory, { recursive: true, force: true });
    return Promise.resolve();
  }

  readLog(file: string): Promise<string | null> {
    return Promise.resolve(endOfLog(file));
  }

  start(process: number, spec: ProcessSpec): Promise<void> {
    const started = new ManagedProcess(spec, (exit) => {
      this.#processes.delete(process);
      this.#say({ ended: process, exit, logTail: started.logTail(TOLD_LOG_LINES) });
    });
    started.start();
    this.#processes.set(process, started);
    return Promise.resolve();
  }

  async signal(process: number, signal: NodeJS.Signals): Promise<void> {
    const found = this.#processes.get(process);
    if (found === undefined) throw new Error(`There is no process ${process}.`);
    await found.signal(signal);
  }

  async post(port: number, path: string): Promise<void> {
    await askPage('POST', `${LOOPBACK}:${port}`, path);
  }

  openRelay(relay: number, fault: LinkFault, seed: number, name: string): Promise<void> {
    this.#relays.set(relay, uniformRelay(fault, seed, name, this.#settings.address));
    return Promise.resolve();
  }

  async openDoor(relay: number, at: number, port: number, target: number): Promise<void> {
    await this.#relay(relay).open(at, port, target);
  }

  learn(relay: number, id: string, at: number): Promise<void> {
    this.#relay(relay).learn(id, at);
    return Promise.resolve();
  }

  async closeRelay(relay: number): Promise<void> {
    await this.#relay(relay).close();
    this.#relays.delete(relay);
  }

  #relay(relay: number): Relay {
    const found = this.#relays.get(relay);
    if (found === undefined) throw new Error(`There is no relay ${relay}.`);
    return found;
  }

  async listen(): Promise<number> {
    // Where all ports may be used the system finds one sooner, and says at once when the address is not one of its own.
    const [port = 0] = this.#settings.ports === null ? [] : await this.#ports(1);
    const listener = createServer((socket) => socket.destroy());
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ host: this.#settings.address, port }, () => resolve((listener.address() as AddressInfo).port));
    });
  }

  unlisten(): Promise<void> {
    this.#listener?.close();
    this.#listener = null;
    return Promise.resolve();
  }

  reach(address: string, port: number): Promise<void> {
    return reach(address, port);
  }

  /** Leaves nothing running and nothing lying. */
  async end(): Promise<void> {
    this.#listener?.close();
    await Promise.all([...this.#processes.values()].map((process) => process.kill('SIGKILL')));
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
    rmSync(this.#settings.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Rejects when nobody takes a connection there. */
export function reach(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, timeout: REACH_TIMEOUT_MS });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${REACH_TIMEOUT_MS / 1000} s`)));
    socket.once('error', reject);
  });
}
