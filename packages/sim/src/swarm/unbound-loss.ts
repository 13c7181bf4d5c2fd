/**
 * A disk is lost just as its server's first leader hears of it, and before anyone else does. The server comes back as another
 * incarnation, nobody that it asks knows it, and so it begins anew: while its leader is about to bind the life that is gone
 * (packages/raft/src/identity.ts). Later is too late: then someone knows, and the server does not start.
 */
import type { Message } from '@quorate/raft';
import type { Hands } from './hands.ts';

/** Fewer than four, and the leader is among those who are asked. */
const FEWEST_SERVERS = 4;

export class UnboundLoss {
  readonly #hands: Hands;
  /** Whose disk it will be; null if that is not to happen, or has. */
  #victim: string | null;

  constructor(hands: Hands) {
    const { world, budget, stream } = hands;
    this.#hands = hands;
    const doomed = [...budget.doomed];
    this.#victim = world.servers.length < FEWEST_SERVERS || doomed.length === 0 ? null : stream.pick(doomed);
  }

  onSend(server: string, message: Message): void {
    if (server !== this.#victim) return;
    const isAnswer = message.kind === 'appendEntriesReply' || message.kind === 'heartbeatReply';
    if (!isAnswer) return;
    this.#victim = null;
    const leader = message.to;
    // Before the answer arrives: the leader will tell nobody what it learns from it.
    this.#hands.later(0, () => {
      if (!this.#isUnbound(leader, server)) return;
      this.#silence(leader, server);
      this.#hands.later(this.#hands.stream.pick([1_000, 20_000]), () => this.#lose(leader, server));
    });
  }

  #isUnbound(leader: string, member: string): boolean {
    const members = this.#hands.world.server(leader).node?.status().configuration.members ?? [];
    return members.find(({ id }) => id === member)?.incarnation === null;
  }

  #silence(leader: string, but: string): void {
    for (const { id } of this.#hands.world.servers) {
      if (id !== leader && id !== but) this.#hands.do({ kind: 'cut', from: leader, to: id, how: 'silent' });
    }
  }

  #lose(leader: string, server: string): void {
    const { stream } = this.#hands;
    this.#hands.cutOff([leader], 'silent');
    this.#hands.do({ kind: 'crash', server, how: 'power' });
    this.#hands.do({ kind: 'loseDisk', server, state: 'new' });
    this.#hands.do({ kind: 'start', server });
    this.#hands.later(stream.pick([50_000, 200_000, 2_000_000]), () => {
      this.#hands.do({ kind: 'heal' });
      if (stream.below(2) === 0) this.#completeLate(leader, server);
    });
  }

  /** The leader reaches just as many as make a majority with what the lost disk had acknowledged; the others are left to themselves. */
  #completeLate(leader: string, lost: string): void {
    const { world, stream } = this.#hands;
    const others = world.servers.map(({ id }) => id).filter((id) => id !== leader && id !== lost);
    const majority = Math.floor(world.servers.length / 2) + 1;
    this.#hands.cutOff([leader, ...others.slice(0, majority - 2)], 'silent');
    this.#hands.later(stream.between(500_000, 6_000_000), () => this.#hands.do({ kind: 'heal' }));
  }
}
