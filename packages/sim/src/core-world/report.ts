/** What came of an action. */
import type { Input, MemberId, Message, Micros } from '@quorate/raft';
import type { AppliedEntry } from '../watch.ts';
import type { CoreAction } from './action.ts';
import type { Letter } from './catalogue.ts';
import type { Broken, Turned } from './surroundings.ts';

/** A message on its way. */
export interface Flight {
  /** Counts from 1 in the order of sending. */
  readonly id: number;
  readonly message: Message;
  readonly sentAt: Micros;
  /** Virtual microseconds; 0 without a clock. */
  readonly due: Micros;
  readonly letter: Letter;
}

/** What came of an action. */
export interface StepReport {
  readonly action: CoreAction;
  /** The how many-th of the run, from 1. */
  readonly step: number;
  readonly now: Micros;
  /** The server that something happened to; null for links and messages that are lost. */
  readonly server: MemberId | null;
  /** What its core was handed, in order. */
  readonly inputs: readonly Input[];
  /** What it said. */
  readonly outputs: Turned['outputs'];
  /** Messages that left. */
  readonly sent: readonly Flight[];
  /** A message that will not arrive. */
  readonly lost: Flight | null;
  /** Batches that became durable. */
  readonly durable: Turned['durable'];
  readonly applied: readonly AppliedEntry[];
  /** What it broke; null for nothing. */
  readonly broken: Broken | null;
}

/** An action that cannot be carried out now; the message says why. */
export class ActionError extends Error {
  override readonly name = 'ActionError';
  readonly action: CoreAction;

  constructor(action: CoreAction, why: string) {
    super(`This cannot be done now: ${why}.`);
    this.action = action;
  }
}

/** Of an action that nothing came of yet. */
export function reportOf(
  action: CoreAction,
  step: number,
  now: Micros,
  server: MemberId | null,
  broken: Broken | null,
): StepReport {
  return { action, step, now, server, inputs: [], outputs: [], sent: [], lost: null, durable: [], applied: [], broken };
}
