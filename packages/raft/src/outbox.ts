/** What the steps since the last output have asked for. Emptied by `takeOutput`. */
import type { Message } from './message.ts';
import type {
  LoadRequest,
  Outgoing,
  ProposalResult,
  RaftEvent,
  ReadResult,
  Restore,
  TimerCommand,
  TimerName,
} from './output.ts';

export interface Outbox {
  send: Outgoing[];
  /** The last command for each timer; earlier ones are superseded. */
  arm: Partial<Record<TimerName, TimerCommand>>;
  restore: Restore | null;
  load: LoadRequest[];
  proposals: ProposalResult[];
  reads: ReadResult[];
  events: RaftEvent[];
}

export function emptyOutbox(): Outbox {
  return { send: [], arm: {}, restore: null, load: [], proposals: [], reads: [], events: [] };
}

/** Withdraws what was about to be said: the promises in it no longer describe this server's log. */
export function withdraw(out: Outbox, isVoid: (message: Message, after: number) => boolean): void {
  if (out.send.length > 0) out.send = out.send.filter(({ message, after }) => !isVoid(message, after));
}
