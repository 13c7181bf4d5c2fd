/** What can be done in a core world, as plain data: a list of actions, carried out from the beginning, is a run. */
import type { Index, MemberId, Micros, TimerName } from '@quorate/raft';
import type { Budgets, ChangeOffer } from './options.ts';

/** Messages are named by the order in which they were sent, from 1; a duplicate gets a number of its own. */
export type CoreAction =
  /** A message in flight arrives, is lost, or is doubled. */
  | { readonly kind: 'deliver' | 'drop' | 'duplicate'; readonly message: number }
  /** A message in flight takes that much longer. Virtual microseconds. */
  | { readonly kind: 'delay'; readonly message: number; readonly by: Micros }
  | { readonly kind: 'timeout'; readonly server: MemberId; readonly timer: TimerName }
  /** The oldest batch on its way to the disk is durable. */
  | { readonly kind: 'persist'; readonly server: MemberId }
  /** The state machine takes what is committed next, or a snapshot that has arrived. */
  | { readonly kind: 'apply'; readonly server: MemberId }
  /** Storage answers the oldest request for entries. */
  | { readonly kind: 'load'; readonly server: MemberId }
  /** The server learns how the transfer of a snapshot ended. */
  | { readonly kind: 'snapshotSent'; readonly server: MemberId }
  /** The server takes a snapshot of its machine, and its log forgets what that holds. */
  | { readonly kind: 'compact'; readonly server: MemberId }
  /** A client of that server wants a command in the log. */
  | { readonly kind: 'propose'; readonly server: MemberId }
  /** A client of that server wants to read. */
  | { readonly kind: 'read'; readonly server: MemberId }
  | { readonly kind: 'change'; readonly server: MemberId; readonly change: ChangeOffer }
  | { readonly kind: 'transfer'; readonly server: MemberId; readonly target: MemberId }
  /** The process is gone. Of the batches on their way the first `keep` had reached the disk all the same. */
  | { readonly kind: 'crash'; readonly server: MemberId; readonly keep: number }
  /** The process will be gone when it next writes to its disk: what it writes then is lost. */
  | { readonly kind: 'crashAtDisk'; readonly server: MemberId }
  | { readonly kind: 'restart' | 'pause' | 'resume'; readonly server: MemberId }
  /** The record of an entry on the disk of a server that is down rots. */
  | { readonly kind: 'damage'; readonly server: MemberId; readonly index: Index }
  /** Nothing gets from one server to the other until the link is mended. */
  | { readonly kind: 'cut' | 'mend'; readonly from: MemberId; readonly to: MemberId }
  /** All links are mended. */
  | { readonly kind: 'heal' }
  /**
   * A search comes to a stage of this name, where other budgets hold; what is spent stays spent. With `forget` all messages in flight
   * are lost. Never offered by a world.
   */
  | { readonly kind: 'restage'; readonly stage: string; readonly budgets: Partial<Budgets>; readonly forget: boolean };

/** In a few words, for lists and traces. */
export function describeAction(action: CoreAction): string {
  switch (action.kind) {
    case 'deliver':
    case 'drop':
    case 'duplicate':
      return `${action.kind} message ${action.message}`;
    case 'delay':
      return `delay message ${action.message} by ${action.by} µs`;
    case 'timeout':
      return `${action.timer} timer of ${action.server} runs out`;
    case 'change':
      return `change at ${action.server}: ${action.change.op} ${action.change.member}`;
    case 'transfer':
      return `${action.server} is to hand over to ${action.target}`;
    case 'crash':
      return `crash ${action.server}${action.keep === 0 ? '' : `, keeping ${action.keep} of its writes`}`;
    case 'damage':
      return `damage entry ${action.index} on the disk of ${action.server}`;
    case 'cut':
    case 'mend':
      return `${action.kind} the link from ${action.from} to ${action.to}`;
    case 'heal':
      return 'mend all links';
    case 'restage':
      return `stage ${action.stage}${action.forget ? '; messages in flight are lost' : ''}`;
    case 'persist':
      return `what ${action.server} wrote first is durable`;
    case 'apply':
      return `${action.server} applies what is committed`;
    case 'load':
      return `${action.server} reads entries from its disk`;
    case 'snapshotSent':
      return `${action.server} learns how its snapshot fared`;
    case 'compact':
      return `${action.server} takes a snapshot`;
    case 'propose':
      return `a client of ${action.server} wants a command in the log`;
    case 'read':
      return `a client of ${action.server} wants to read`;
    case 'crashAtDisk':
      return `${action.server} will crash at its next write`;
    default:
      return `${action.kind} ${action.server}`;
  }
}
