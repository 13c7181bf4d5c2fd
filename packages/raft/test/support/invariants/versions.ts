/** The version of the protocol in use: invariants F10, F11, F12. */
import {
  type Configuration,
  EntryKind,
  type Feature,
  type Incarnation,
  type MemberId,
  type Outgoing,
  type Output,
  type PersistBatch,
  type Version,
} from '../../../src/index.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';
import { type Ghosts, must } from './ghosts.ts';

export class VersionInvariants implements Observer {
  readonly #ghosts: Ghosts;
  /** By member and life: the newest version that it said it speaks. */
  readonly #spoken = new Map<MemberId, Map<Incarnation, Version>>();

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  sent({ id, incarnation }: TestServer, { message }: Outgoing): void {
    if (message.kind !== 'heartbeatReply') return;
    const lives = this.#spoken.get(id) ?? new Map<Incarnation, Version>();
    this.#spoken.set(id, lives.set(incarnation, Math.max(lives.get(incarnation) ?? 0, message.speaks)));
  }

  output(server: TestServer, { send, events }: Output): void {
    for (const event of events) {
      if (event.kind !== 'configuration') continue;
      const { protocol } = event.configuration;
      must(protocol <= server.options.release.max, 'F10 nobody meets what it does not understand', () => {
        return `${server.id} speaks up to version ${server.options.release.max}, and version ${protocol} is in its log`;
      });
    }
    for (const { message } of send) {
      if (message.kind === 'timeoutNow')
        this.#checkUse(server, 'leadershipTransfer', `${message.kind} to ${message.to}`);
    }
  }

  /** A leader's own new configurations, each compared with the one before it. */
  submitted(server: TestServer, { entries }: PersistBatch): void {
    const { core } = server;
    if (core.role !== 'leader') return;
    for (const { index, kind, term } of entries) {
      if (kind !== EntryKind.configuration || term !== core.term) continue;
      this.#checkMade(server, core.configurationAt(index - 1), core.configurationAt(index));
    }
  }

  #checkMade(server: TestServer, before: Configuration, made: Configuration): void {
    must(made.protocol >= before.protocol, 'F11 the version never falls', () => {
      return `${server.id} goes from ${before.protocol} in entry ${before.index} to ${made.protocol} in entry ${made.index}`;
    });
    if (made.version !== before.version)
      this.#checkUse(server, 'membershipChanges', `entry ${made.index}, a step of a change`);
    if (made.protocol === before.protocol) return;
    for (const { id, incarnation } of made.members) {
      const spoken = id === server.id ? server.options.release.max : this.#spokenBy(id, incarnation);
      must(spoken >= made.protocol, 'F10 every member speaks what is agreed', () => {
        return `${server.id} raises the version to ${made.protocol}; ${id} said that it speaks ${spoken}`;
      });
    }
  }

  /** Of a member that is not bound any life may count. */
  #spokenBy(id: MemberId, incarnation: Incarnation | null): Version {
    const lives = this.#spoken.get(id) ?? new Map<Incarnation, Version>();
    return incarnation === null ? Math.max(0, ...lives.values()) : (lives.get(incarnation) ?? 0);
  }

  #checkUse(server: TestServer, feature: Feature, what: string): void {
    const needed = server.options.release.needs[feature];
    const inUse = this.#ghosts.configurationAt(this.#ghosts.committedTo).protocol;
    must(inUse >= needed, 'F12 nothing before its version is in use', () => {
      return `${server.id} says ${what}; version ${inUse} is in use, and ${feature} needs ${needed}`;
    });
  }
}
