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

/** Longer data is cut in sentences. */
const MAX_SHOWN = 160;

/** Plain data on one line, as a person writes it: fields without quotes, bytes by their number. */
export function show(value: PlainData | undefined): string {
  const text = plainText(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function plainText(value: PlainData | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `[${(value as readonly PlainData[]).map(plainText).join(', ')}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${name}: ${plainText(field)}`).join(', ')}}`;
}
