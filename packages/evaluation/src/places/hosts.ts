/** All hosts of a run: opened together, in reach of each other, ended together. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunDirectory, removeAbandoned } from '@quorate/processes';
import { reach } from '../agent/agent.ts';
import { EvaluationError } from '../errors.ts';
import type { PortRange } from '../harness/port-range.ts';
import type { HostName } from './host-name.ts';
import { Host } from './open-host.ts';
import { packBuild } from './build.ts';
import type { Place } from './place.ts';

/** Hosts as the user wants them. */
export interface HostsOptions {
  readonly names: readonly HostName[];
  /** A configuration file for ssh; null: its own. */
  readonly sshConfig: string | null;
  /** How Node.js is called on the hosts. */
  readonly node: string;
  /** Where on the hosts the build and the servers' data stand. */
  readonly directory: string;
}

interface HostsSurroundings {
  readonly entry: string;
  /** For the build's archive. */
  readonly home: string;
  readonly ports: PortRange | null;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** Sockets of ssh. In /tmp, because their paths must be short. */
const SOCKETS_KIND = 'quorate-ssh-';
const SOCKETS_PARENT = '/tmp';

export class Hosts {
  readonly places: readonly Place[];
  /** Aborted when one is lost; its reason is an `EvaluationError`. */
  readonly lost: AbortSignal;
  readonly #hosts: readonly Host[];
  readonly #sockets: string;
  #closed: Promise<void> | null = null;

  private constructor(hosts: readonly Host[], sockets: string) {
    this.#hosts = hosts;
    this.#sockets = sockets;
    this.places = hosts.map(({ place }) => place);
    this.lost = AbortSignal.any(hosts.map(({ agent }) => agent.lost));
  }

  /** @throws EvaluationError when one of them cannot be used; nothing is left on the others then */
  static async open(options: HostsOptions, surroundings: HostsSurroundings): Promise<Hosts> {
    const { names, sshConfig, node, directory } = options;
    const { entry, home, ports, version, signal, say } = surroundings;
    removeAbandoned(SOCKETS_KIND, undefined, SOCKETS_PARENT);
    const sockets = makeRunDirectory(SOCKETS_KIND, SOCKETS_PARENT);
    let packed: Promise<string> | null = null;
    const archive = (): Promise<string> => (packed ??= packBuild(entry, home));
    // When one cannot be used the others need not be made ready.
    const giveUp = new AbortController();
    const open = async (name: HostName, at: number): Promise<Host> => {
      const ssh = { config: sshConfig, socket: join(sockets, String(at)) };
      try {
        const either = AbortSignal.any([signal, giveUp.signal]);
        return await Host.open(name, { ssh, node, directory, ports, archive, version, signal: either });
      } catch (error) {
        giveUp.abort(error);
        throw error;
      }
    };
    const opened = await Promise.allSettled(names.map(open));
    const hosts = new Hosts(
      opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])),
      sockets,
    );
    try {
      signal.throwIfAborted();
      giveUp.signal.throwIfAborted();
      for (const { cleared, place } of hosts.#hosts) for (const line of cleared) say(`${place.name}: ${line}`);
      await hosts.#meet();
    } catch (error) {
      await hosts.close();
      throw error;
    }
    return hosts;
  }

  /** Every host takes connections from here and from every other, at the address that it is known by. */
  async #meet(): Promise<void> {
    const here = { name: 'this machine', reach };
    const others = this.#hosts.map(({ place, agent }) => ({
      name: place.name,
      reach: (address: string, port: number) => agent.call('reach', address, port),
    }));
    for (const { place, agent } of this.#hosts) {
      const twin = this.places.find((other) => other !== place && other.address === place.address);
      if (twin !== undefined) {
        const message = `${place.name} and ${twin.name} are one host: both are reached at ${place.address}. Name it once.`;
        throw new EvaluationError('BadHosts', message);
      }
      const port = await agent.call('listen').catch((cause: unknown) => {
        if (agent.lost.aborted) throw cause;
        throw deaf(place, cause);
      });
      for (const from of [here, ...others]) {
        await from.reach(place.address, port).catch((cause: unknown) => {
          if (agent.lost.aborted) throw cause;
          throw apart(from.name, place, port, cause);
        });
      }
      await agent.call('unlisten');
    }
  }

  /** Ends what runs on the hosts and removes what was brought there. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
    rmSync(this.#sockets, { recursive: true, force: true });
  }
}

function deaf(place: Place, cause: unknown): EvaluationError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message =
    `No server could listen on ${place.name}: ${reason} If ${place.address} is not an address of its own, name one: ` +
    `${bareName(place)}=ADDRESS.`;
  return new EvaluationError('HostUnfit', message, { cause });
}

function apart(from: string, to: Place, port: number, cause: unknown): EvaluationError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message =
    `A server on ${to.name} would listen at ${to.address}:${port}, and ${from} does not reach that: ${reason}. Let connections through ` +
    `(--ports keeps to a few ports), or name an address that all of them reach: ${bareName(to)}=ADDRESS.`;
  return new EvaluationError('HostsApart', message, { cause });
}

/** Without the address that was given. */
function bareName({ name }: Place): string {
  return name.replace(/=.*/, '');
}
