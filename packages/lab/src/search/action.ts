/** What can happen to a cluster that is searched, as plain data. */
import type { Restage } from '@quorate/sim';
import type { Allowance } from './allowance.ts';

/** Calls and answers are named by the order in which they were sent, from 1. Servers count from 0. */
export type LabAction =
  /** A call, or the answer to one, arrives. */
  | { readonly kind: 'deliver'; readonly message: number }
  /** Whoever made this call is told that it has no answer; the call, or its answer, never arrives. */
  | { readonly kind: 'fail'; readonly message: number }
  /** A call will arrive twice; the second answer finds nobody who waits for it. */
  | { readonly kind: 'duplicate'; readonly message: number }
  /** In handlers: the timer of that name. In the async style 'clock': time passes at this server until it does something. */
  | { readonly kind: 'timeout'; readonly server: number; readonly timer: string }
  /** A client of that server wants a command in the log: c1, then c2 … */
  | { readonly kind: 'start'; readonly server: number }
  /** The service hands over a snapshot of all that it has applied. */
  | { readonly kind: 'snapshot'; readonly server: number }
  /** The server is asked to make these the members. */
  | { readonly kind: 'change'; readonly server: number; readonly members: readonly number[] }
  | { readonly kind: 'crash'; readonly server: number }
  | { readonly kind: 'restart'; readonly server: number }
  /** Messages arrive only within a side; what is in flight between two of them waits. */
  | { readonly kind: 'partition'; readonly sides: readonly (readonly number[])[] }
  /** What is in flight from the one to the other is lost; null: from, or to, anybody. */
  | { readonly kind: 'lose'; readonly from: number | null; readonly to: number | null }
  | Restage<Allowance>;
