/** Trouble just when a snapshot is on its way: transfers are rare and short, and chance mostly misses them. */
import type { Index, MemberId, Output } from '@quorate/raft';
import type { Hands } from './hands.ts';

const SECOND = 1_000_000;

/** How far into the transfer, at most: most take a few milliseconds. Microseconds. */
const moments = [300, 3_000, 30_000] as const;

export class TransferTrouble {
  readonly #hands: Hands;
  #isDue = false;

  constructor(hands: Hands) {
    this.#hands = hands;
  }

  /** The next snapshot that is sent meets trouble. A server that misses much will need one. */
  arm(): void {
    const { world, stream } = this.#hands;
    this.#isDue = true;
    const { id, node } = stream.pick(world.servers);
    if (node === null || node.isLeader) return;
    this.#hands.cutOff([id], 'silent');
    this.#healWhenForgotten(node.status().lastIndex, world.clock.now + 10 * SECOND);
  }

  /** The server that was cut off comes back when no leader has what it lacks in its log any more. */
  #healWhenForgotten(lastIndex: Index, end: number): void {
    this.#hands.later(SECOND / 10, () => {
      const { servers, clock } = this.#hands.world;
      const isForgotten = servers.some(({ node }) => node?.isLeader === true && node.status().baseIndex > lastIndex);
      if (isForgotten || clock.now >= end) this.#hands.do({ kind: 'heal' });
      else this.#healWhenForgotten(lastIndex, end);
    });
  }

  onOutput(leader: MemberId, { send }: Output): void {
    if (!this.#isDue) return;
    const { stream } = this.#hands;
    const transfer = send.find(({ message }) => message.kind === 'installSnapshot');
    if (transfer === undefined) return;
    this.#isDue = false;
    const receiver = transfer.message.to;
    this.#hands.later(stream.below(stream.pick(moments)), () => this.#strike(leader, receiver));
  }

  #strike(leader: MemberId, receiver: MemberId): void {
    const { stream } = this.#hands;
    switch (stream.below(5)) {
      case 0:
        return this.#crash(leader);
      case 1:
        return this.#crash(receiver);
      case 2:
        this.#hands.do({ kind: 'fill', server: receiver, left: 0 });
        return this.#hands.later(this.#hands.duration(10), () => this.#hands.do({ kind: 'free', server: receiver }));
      default:
        // Silently: whether the transfer goes on is not known before the leader has to step down.
        this.#hands.cutOff([leader], 'silent');
        return this.#hands.later(this.#hands.duration(10), () => this.#hands.do({ kind: 'heal' }));
    }
  }

  #crash(server: MemberId): void {
    this.#hands.do({ kind: 'crash', server, how: 'power' });
    this.#hands.later(this.#hands.duration(8), () => this.#hands.do({ kind: 'start', server }));
  }
}
