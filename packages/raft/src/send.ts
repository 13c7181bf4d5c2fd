/** The one door through which messages leave, each behind the batch it must wait for. */
import type { Envelope, Message } from './message.ts';
import { termBarrier } from './persistence.ts';
import type { Core } from './state.ts';
import type { MemberId } from './types.ts';

/** The envelope of a message to `to`, in this server's current term. */
export function envelope(core: Core, to: MemberId): Envelope {
  const { group, id, incarnation } = core.options;
  return { group, from: id, to, incarnation, term: core.state.term };
}

/** Sends a message that promises nothing but its term. */
export function send(core: Core, message: Message): void {
  core.out.send.push({ message, after: termBarrier(core) });
}

/** Sends a message once batch `after` is durable; 0 means now, yet never before its term is. */
export function sendAfter(core: Core, message: Message, after: number): void {
  core.out.send.push({ message, after: Math.max(after, termBarrier(core)) });
}
