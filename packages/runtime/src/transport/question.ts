/**
 * What a fresh data directory asks before it takes part: has this member run before?
 *
 * A server that lost its disk has also lost its votes. If it came back as if new, it could vote twice in a term. So a
 * fresh member of a "new" cluster asks the other founding members. It needs so many answers that any quorum which its
 * earlier life can have been part of is among them: n - majority + 1, or all others where there are fewer.
 *
 * That quorum may come together only later, of servers that knew nothing when they were asked: an acknowledgement of the earlier life
 * may be on its way, or counted already by a leader that nobody else hears. So before it votes or acknowledges anything a member has as
 * many others write down that it begins (*registration*), and whoever asks for it later meets at least one of them: 2 (n - majority + 1) is
 * more than the n - 1 others.
 */
import type { MemberId, Term } from '@quorate/raft';
import type { TransportContext } from './context.ts';
import { helloFrom, type Refusal, type Welcome } from './handshake.ts';
import { OutgoingConnection } from './outgoing-connection.ts';
import type { Purpose } from './protocol.ts';

/** Between two attempts at a peer that does not answer, and between two lines about it. Microseconds. */
const askAgainAfter = 200_000;
const sayAgainAfter = 10_000_000;

export type Finding =
  /** No peer counts on another life of this member. Below `term` it must not vote, nor in it. */
  | { readonly kind: 'fresh'; readonly term: Term }
  /** A peer knows this member by another incarnation: its configuration binds it, or it was told that it begins. */
  | { readonly kind: 'alreadyRan'; readonly peer: MemberId; readonly bound: string };

/** How many of the other founding members must answer. */
export function answersNeeded(members: number): number {
  const majority = Math.floor(members / 2) + 1;
  return Math.min(members - 1, members - majority + 1);
}

export interface FoundingPeer {
  readonly id: MemberId;
  readonly address: string;
}

/** Asks the peers, or has them write down who begins, until enough have answered. `done` is called once; the returned function gives up. */
export function askPeers(
  context: TransportContext,
  peers: readonly FoundingPeer[],
  purpose: Inquiring,
  done: (finding: Finding) => void,
): () => void {
  const inquiry = new Inquiry(context, peers, purpose, done);
  inquiry.start();
  return () => inquiry.stop();
}

type Inquiring = typeof Purpose.question | typeof Purpose.registration;

class Inquiry {
  readonly #context: TransportContext;
  readonly #peers: readonly FoundingPeer[];
  readonly #purpose: Inquiring;
  readonly #done: (finding: Finding) => void;
  readonly #needed: number;
  readonly #answers = new Map<MemberId, Term>();
  readonly #problems = new Map<MemberId, string>();
  readonly #connections = new Map<MemberId, OutgoingConnection>();
  #isOver = false;
  #saidAt: number;

  constructor(
    context: TransportContext,
    peers: readonly FoundingPeer[],
    purpose: Inquiring,
    done: (finding: Finding) => void,
  ) {
    this.#context = context;
    this.#peers = peers;
    this.#purpose = purpose;
    this.#done = done;
    this.#needed = answersNeeded(peers.length + 1);
    // The first line comes after a moment: peers that are started together find each other without a word.
    this.#saidAt = context.environment.clock.now() - sayAgainAfter + 1_000_000;
  }

  start(): void {
    if (this.#needed === 0) {
      this.#context.environment.timers.afterPoll(() => this.#finish({ kind: 'fresh', term: 0 }));
      return;
    }
    this.#round();
  }

  stop(): void {
    this.#isOver = true;
    for (const connection of this.#connections.values()) connection.destroy();
    this.#connections.clear();
  }

  #round(): void {
    if (this.#isOver) return;
    for (const peer of this.#peers) {
      if (!this.#answers.has(peer.id) && !this.#connections.has(peer.id)) this.#ask(peer);
    }
    this.#sayWaiting();
    this.#context.environment.timers.set(askAgainAfter, () => this.#round());
  }

  #ask(peer: FoundingPeer): void {
    const hello = helloFrom(this.#context, peer.id, this.#purpose, 0);
    const connection = new OutgoingConnection(this.#context, peer.address, hello, {
      onWelcome: (welcome) => this.#onAnswer(peer, welcome),
      onFrame: (kind) => `unexpected frame of kind ${kind}`,
      onDrain: () => undefined,
      onClosed: (reason, refusal) => this.#onClosed(peer, reason, refusal),
    });
    this.#connections.set(peer.id, connection);
  }

  #onAnswer(peer: FoundingPeer, welcome: Welcome): void {
    this.#connections.get(peer.id)?.destroy();
    this.#connections.delete(peer.id);
    this.#problems.delete(peer.id);
    if (this.#isOver) return;
    if (welcome.bound !== null && welcome.bound !== this.#context.identity.incarnation) {
      this.#finish({ kind: 'alreadyRan', peer: peer.id, bound: welcome.bound });
      return;
    }
    this.#answers.set(peer.id, welcome.term);
    if (this.#answers.size < this.#needed) return;
    this.#finish({ kind: 'fresh', term: Math.max(...this.#answers.values()) });
  }

  #onClosed(peer: FoundingPeer, reason: string, refusal: Refusal | null): void {
    this.#connections.delete(peer.id);
    const problem = refusal?.reason ?? reason;
    if (refusal !== null && refusal.code !== 'starting' && this.#problems.get(peer.id) !== problem) {
      this.#context.environment.logger.log('error', `peer refused the connection: ${problem}`, { peer: peer.id });
    }
    this.#problems.set(peer.id, problem);
  }

  #sayWaiting(): void {
    const now = this.#context.environment.clock.now();
    if (now - this.#saidAt < sayAgainAfter) return;
    this.#saidAt = now;
    const missing = this.#peers.filter((peer) => !this.#answers.has(peer.id));
    this.#context.environment.logger.log(
      'info',
      `waiting for peers: a new member starts when ${this.#needed} of the other ${this.#peers.length} have answered, ` +
        `${this.#answers.size} so far. Start the missing servers.`,
      {
        missing: missing.map((peer) => `${peer.id} at ${peer.address}`),
        problems: missing.map((peer) => this.#problems.get(peer.id) ?? 'no answer yet'),
      },
    );
  }

  #finish(finding: Finding): void {
    if (this.#isOver) return;
    this.stop();
    this.#done(finding);
  }
}
