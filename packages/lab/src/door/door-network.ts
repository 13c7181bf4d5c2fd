/** Carries messages: late, and between servers not all of them. */
import type { RandomStream } from '@quorate/sim';
import { DoorFailure, type DoorMessage } from './message.ts';

/** Milliseconds and permille, as on the suite's unreliable network. */
const UNRELIABLE_DELAY = 27;
const LOSS_PERMILLE = 100;

export class DoorNetwork {
  isUnreliable = false;
  /** Messages between servers; what clients say and are told is not counted here. */
  messages = 0;
  clientMessages = 0;
  readonly #random: RandomStream;
  readonly #servers: ReadonlySet<string>;
  /** Of each server its side of a partition; clients reach all. */
  readonly #sides = new Map<string, number>();
  readonly #deliver: (message: DoorMessage) => void;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(servers: readonly string[], random: RandomStream, deliver: (message: DoorMessage) => void) {
    this.#servers = new Set(servers);
    this.#random = random;
    this.#deliver = deliver;
  }

  /** @throws DoorFailure when a server writes to somebody who is not there. */
  carry(message: DoorMessage): void {
    const { src, dest } = message;
    const isBetweenServers = this.#servers.has(src) && this.#servers.has(dest);
    if (!this.#servers.has(dest) && !/^c\d+$/.test(dest)) {
      throw new DoorFailure(
        'rubbish',
        src,
        `${src} sends ${message.body.type} to '${dest}', and there is nobody of that name`,
      );
    }
    if (isBetweenServers) this.messages += 1;
    else this.clientMessages += 1;
    if (isBetweenServers && this.#sides.get(src) !== this.#sides.get(dest)) return;
    if (!this.isUnreliable) {
      this.#deliver(message);
      return;
    }
    if (isBetweenServers && this.#random.chance(LOSS_PERMILLE)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#deliver(message);
    }, this.#random.below(UNRELIABLE_DELAY));
    this.#timers.add(timer);
  }

  /** Cuts the ways between servers of different sides; one side heals all. */
  partition(sides: readonly (readonly string[])[]): void {
    for (const [number, side] of sides.entries()) for (const server of side) this.#sides.set(server, number);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
