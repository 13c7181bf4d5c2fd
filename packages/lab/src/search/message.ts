/** Calls between servers that are searched, and the answers to them. */
import type { PlainData } from '../interface.ts';

export interface LabMessage {
  readonly kind: 'call' | 'answer';
  readonly from: number;
  readonly to: number;
  readonly method: string;
  /** Of the call; of an answer, of the call that it answers. */
  readonly args: PlainData;
  /** Null for a call. */
  readonly answer: PlainData;
  /** Whether the caller still waits for the answer: not if it has crashed since, nor for the second answer to a call that was doubled. */
  readonly isAwaited: boolean;
}

/** A message on its way. */
export interface LabFlight {
  /** Counts from 1 in the order of sending. */
  readonly id: number;
  readonly message: LabMessage;
}

export function answerTo(call: LabMessage, answer: PlainData): LabMessage {
  const { from, to, method, args, isAwaited } = call;
  return { kind: 'answer', from: to, to: from, method, args, answer, isAwaited };
}

/** The server that made the call. */
export function callerOf({ kind, from, to }: LabMessage): number {
  return kind === 'call' ? from : to;
}
