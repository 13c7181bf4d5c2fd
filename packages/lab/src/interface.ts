/**
 * What the suite asks of a Raft: the interface of the classic course, so that ours and a student's are tested alike. A module exports
 * `make`; or, in the other style, its handlers (handlers.ts).
 */

/** What JSON can say, and bytes. Whatever crosses a wire or is saved is this, and is copied on the way. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly PlainData[]
  | { readonly [key: string]: PlainData | undefined };

/** The way to one server of the cluster. */
export interface Peer {
  /**
   * Calls `method(args)` of that server; `args` is plain data, and so is the answer, never null. Null: the request or its answer was lost, or nobody answers there; then whether the method ran
   * is not known. It may take seconds to find that out, so never wait for one server before you ask the next.
   */
  call(method: string, args: unknown): Promise<unknown>;
  /** As `call`, for who is synchronous (see RaftServer): `done` is told what would come of the promise. May be missing. */
  ask?(method: string, args: unknown, done: (reply: unknown) => void): void;
}

/** Keeps what must outlive a crash: plain data. What is saved and what is read are copies. */
export interface Persister {
  /** Replaces both at once. A snapshot of null leaves none, so hand over the present one with every save. */
  save(state: unknown, snapshot: Uint8Array | null): void;
  /** Null before the first save. */
  readState(): unknown;
  readSnapshot(): Uint8Array | null;
  /** Bytes of the saved state, as the suite counts them (plain-data.ts). */
  stateSize(): number;
}

/** What a server hands to the service on it. */
export type ApplyMessage =
  /** The command at `index` is committed. They come in order and without gaps; the first index is 1. */
  | { readonly kind: 'command'; readonly index: number; readonly command: PlainData }
  /** The service must take over the state that stands for everything up to and including `index`. */
  | { readonly kind: 'snapshot'; readonly index: number; readonly term: number; readonly data: Uint8Array };

export interface StartResult {
  /** Where the command will stand if it is ever committed; of no meaning where `isLeader` is false. */
  readonly index: number;
  readonly term: number;
  readonly isLeader: boolean;
}

/** One server. It has a method for each kind of call that its peers make as well, under that call's name. */
export interface RaftServer {
  /** The service wants `command` in the log. Answers at once; that it was appended promises nothing. */
  start(command: PlainData): StartResult;
  getState(): { readonly term: number; readonly isLeader: boolean };
  /** The service's state up to and including `index` is in `data`: the log need not keep that any more. */
  snapshot(index: number, data: Uint8Array): void;
  /**
   * May be left out; then the scenario that needs it is not run, and says so. On a leader: from now on these servers are to be the members of
   * the cluster (§6), this one perhaps not among them: then it leads no more once that is committed. Answers at once whether it has begun;
   * false if it does not lead, or another change is under way.
   */
  change?(members: readonly number[]): boolean;
  /**
   * May be left out; with it, searches know where they have been before. All that is in memory, what calls under way hold on to included, as plain data;
   * deadlines as what is left of them.
   */
  save?(): PlainData;
  /** May be left out; with it, searches need not always run from the beginning. On a fresh server, when no call is under way: it is as it was. */
  load?(saved: PlainData): void;
  /**
   * May be left out; true promises that nothing in it waits for a promise: whatever an event begins in it is done when the call into it
   * returns, and answers of peers are taken by `ask` where that is offered. Tests then need not look for more behind each event.
   */
  readonly isSynchronous?: boolean;
  /**
   * May be left out; true promises that whatever it calls with, answers, saves or applies is not changed by it afterwards, nor what it is
   * handed. Then that need not be copied on its way. `--race` finds out who promises it wrongly.
   */
  readonly isSharing?: boolean;
  /** Nobody needs this server any more: it should stop its timers and loops. */
  kill(): void;
}

/** Time and chance, for those who would rather be handed them than use the global `setTimeout`, `Date` and `Math.random`. */
export interface LabEnvironment {
  /** Milliseconds since some moment. */
  now(): number;
  /** Returns what cancels it. `name` is what recordings call it; '' for what is no timer of a server. */
  after(milliseconds: number, run: () => void, name?: string): () => void;
  /** An integer from [0, bound). */
  below(bound: number): number;
}

/** Makes server `me` of a cluster of `peers.length`; it goes on from what `persister` holds. Must return at once. */
export type Make = (
  peers: readonly Peer[],
  me: number,
  persister: Persister,
  apply: (message: ApplyMessage) => void,
  environment: LabEnvironment,
) => RaftServer;

/** Methods that are not for peers to call. */
export const reservedMethods: ReadonlySet<string> = new Set([
  'start',
  'getState',
  'snapshot',
  'change',
  'save',
  'load',
  'kill',
  'constructor',
]);
