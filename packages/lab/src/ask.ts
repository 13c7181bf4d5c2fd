/** Calls for servers in which nothing waits: by `Peer.ask` where that is offered, by `Peer.call` elsewhere. */
import type { Peer } from './interface.ts';

export function ask(peer: Peer, method: string, args: unknown, onReply: (reply: unknown) => void): void {
  if (peer.ask === undefined) void peer.call(method, args).then(onReply);
  else peer.ask(method, args, onReply);
}

/** Whether a server that calls these by `ask` waits for no promise. */
export function offerAsk(peers: readonly Peer[]): boolean {
  return peers.every((peer) => 'ask' in peer);
}
