/** What a state machine with sessions answers to a command. */
import type { Index } from '@quorate/raft';

/** A session's id: the log index at which it was opened, so that no two ever bear the same. */
export type SessionId = Index;

export type SessionRefusal =
  /** There is no such session any more: it was closed, or ended to make room. */
  | 'expired'
  /** The client has said that it needs no answer to this command any more, so none is kept. It is not applied again. */
  | 'acknowledged'
  /** More commands await their answers than the session's window allows. */
  | 'beyondWindow'
  /** It looks like a command of a session, but says nothing that makes sense. */
  | 'malformed';

export type SessionAnswer<Result> =
  | { readonly kind: 'opened'; readonly session: SessionId }
  /** `isRepeated`: it was applied earlier, and this is what was answered then. */
  | { readonly kind: 'applied'; readonly result: Result; readonly isRepeated: boolean }
  /** Also when there was no such session. */
  | { readonly kind: 'closed' }
  /** This copy of the command has no effect and never will. */
  | { readonly kind: 'refused'; readonly reason: SessionRefusal };

/** Answers are kept, and so they stand in snapshots. What is decoded must be as good as what was encoded. */
export interface AnswerCodec<Result> {
  /** The bytes belong to the sessions from here on. Must not throw: that stops the server, as `apply` does. */
  encode(result: Result): Uint8Array;
  decode(bytes: Uint8Array): Result;
}
