/** What the steps since the last output have asked for. Emptied by `takeOutput`. */
import type { Message } from './message.ts';
import type {
  ChangeResult,
  LoadRequest,
  Outgoing,
  Output,
  ProposalResult,
  RaftEvent,
  ReadResult,
  Restore,
  TimerCommand,
  TransferResult,
} from './output.ts';

export interface Outbox {
  send: Outgoing[];
  /** The last command for each timer; earlier ones are superseded. */
  arm: TimerCommand[];
  restore: Restore | null;
  load: LoadRequest[];
  takeSnapshot: boolean;
  proposals: ProposalResult[];
  reads: ReadResult[];
  changes: ChangeResult[];
  transfers: TransferResult[];
  events: RaftEvent[];
}

export function emptyOutbox(): Outbox {
  return {
    send: [],
    arm: [],
    restore: null,
    load: [],
    takeSnapshot: false,
    proposals: [],
    reads: [],
    changes: [],
    transfers: [],
    events: [],
  };
}

/** What an empty field of an output looks like: shared, since most fields of most outputs are empty. */
const none: readonly never[] = [];

/** Hands out what has gathered and leaves the outbox empty, without making anything anew that was not used. */
export function empty(out: Outbox): Omit<Output, 'persist' | 'apply'> {
  const { send, arm, restore, load, takeSnapshot, proposals, reads, changes, transfers, events } = out;
  if (send.length > 0) out.send = [];
  if (arm.length > 0) out.arm = [];
  if (load.length > 0) out.load = [];
  if (proposals.length > 0) out.proposals = [];
  if (reads.length > 0) out.reads = [];
  if (changes.length > 0) out.changes = [];
  if (transfers.length > 0) out.transfers = [];
  if (events.length > 0) out.events = [];
  out.restore = null;
  out.takeSnapshot = false;
  return {
    send: send.length > 0 ? send : none,
    arm: arm.length > 0 ? arm : none,
    restore,
    load: load.length > 0 ? load : none,
    takeSnapshot,
    proposals: proposals.length > 0 ? proposals : none,
    reads: reads.length > 0 ? reads : none,
    changes: changes.length > 0 ? changes : none,
    transfers: transfers.length > 0 ? transfers : none,
    events: events.length > 0 ? events : none,
  };
}

/** Withdraws what was about to be said: the promises in it no longer describe this server's log. */
export function withdraw(out: Outbox, isVoid: (message: Message, after: number) => boolean): void {
  if (out.send.length > 0) out.send = out.send.filter(({ message, after }) => !isVoid(message, after));
}
