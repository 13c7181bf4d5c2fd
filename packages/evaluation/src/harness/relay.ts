/**
 * Stands between the servers: each is reached by its peers at the relay's address, and the relay passes on what they say to each other,
 * late, stalled or not at all. It reads who connects off the first bytes (the hello), so that each way of each pair has faults of its own.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK } from '@quorate/processes';
import { senderOfHello } from '@quorate/runtime';
import type { RandomStream } from '@quorate/sim';
import { Link, type LinkFault, SOUND } from './link.ts';

/** What is wrong between two servers, by their places in the cluster. */
export type FaultRule = (from: number, to: number) => LinkFault;

/** A hello is shorter. Whoever says more without one is passed on as a stranger, to whom the default applies. */
const MAX_HELLO_BYTES = 4096;

interface Relayed {
  readonly links: readonly Link[];
  readonly sockets: readonly Socket[];
  /** One end is gone, and the other has not been told, because nothing passes. */
  isBroken: boolean;
}

export class Relay {
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Relayed>();
  readonly #places = new Map<string, number>();
  readonly #random: RandomStream;
  readonly #address: string;
  #rule: FaultRule = () => SOUND;
  #strangers: LinkFault = SOUND;

  /** `address`: where it listens, and where the servers behind it do. */
  constructor(random: RandomStream, address: string = LOOPBACK) {
    this.#random = random;
    this.#address = address;
  }

  /** From now on `id`, as its hello says it, is the server at `place`. */
  learn(id: string, place: number): void {
    this.#places.set(id, place);
  }

  /** `strangers`: what holds for those whom it cannot tell apart, for instance while a cluster starts. */
  setRule(rule: FaultRule, strangers: LinkFault = SOUND): void {
    this.#rule = rule;
    this.#strangers = strangers;
    for (const relayed of this.#connections) {
      if (relayed.isBroken) this.#drop(relayed);
      else for (const link of relayed.links) link.refresh();
    }
  }

  /** Listens at `port` for the server at `place`, whose own peer port is `target`. */
  open(place: number, port: number, target: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (incoming) =>
      this.#accept(incoming, place, target),
    );
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: this.#address, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    for (const { links, sockets } of this.#connections) {
      for (const link of links) link.close();
      for (const socket of sockets) socket.destroy();
    }
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** Connections that it carries. */
  get connections(): number {
    return this.#connections.size;
  }

  #accept(incoming: Socket, place: number, target: number): void {
    const outgoing = connect({ host: this.#address, port: target, allowHalfOpen: true, noDelay: true });
    let first = Buffer.alloc(0);
    let sender: string | null = null;
    const learn = (bytes: Buffer): void => {
      if (sender !== null || first.length > MAX_HELLO_BYTES) return;
      first = Buffer.concat([first, bytes]);
      sender = senderOfHello(first);
    };
    const fault = (back: boolean): LinkFault => {
      const from = sender === null ? undefined : this.#places.get(sender);
      if (from === undefined) return this.#strangers;
      return back ? this.#rule(place, from) : this.#rule(from, place);
    };
    incoming.on('data', learn);
    const links = [
      new Link(incoming, outgoing, () => fault(false), this.#random),
      new Link(outgoing, incoming, () => fault(true), this.#random),
    ];
    this.#keep({ links, sockets: [incoming, outgoing], isBroken: false });
  }

  #keep(relayed: Relayed): void {
    this.#connections.add(relayed);
    for (const socket of relayed.sockets) {
      socket.on('error', () => this.#drop(relayed));
      socket.on('close', (hadError) => {
        if (hadError || relayed.sockets.every((each) => each.destroyed)) this.#drop(relayed);
      });
    }
  }

  /** When either end breaks, the other hears it as it would without us: at once, unless they are cut off from each other. */
  #drop(relayed: Relayed): void {
    relayed.isBroken = true;
    if (relayed.links.some((link) => link.isCut)) return;
    if (!this.#connections.delete(relayed)) return;
    for (const link of relayed.links) link.close();
    for (const socket of relayed.sockets) socket.resetAndDestroy();
  }
}
