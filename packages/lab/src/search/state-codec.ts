/** How the state of handlers is copied and told from others. A student's is plain data; ours has a quicker way (ours/quorate-handlers.ts). */
import type { PlainData } from '../interface.ts';
import { copyPlain, NotPlainError } from '../plain-data.ts';
import { codeOf } from './plain-code.ts';

export interface StateCodec {
  /** A copy that a handler may change. */
  copy(state: unknown): unknown;
  /** What a handler has left, to be changed by nobody. @throws NotPlainError for what cannot be kept. */
  seal(state: unknown): unknown;
  /** Text that no other state has, of a state that was sealed. */
  code(state: unknown): string;
}

export const plainStates: StateCodec = {
  copy: (state) => copyPlain(state).value,
  seal: (state) => plain('the state of a handler', state),
  code: (state) => codeOf(state as PlainData),
};

/** @throws NotPlainError that says what it was to be. */
export function plain(what: string, value: unknown): PlainData {
  try {
    return copyPlain(value).value;
  } catch (error) {
    if (error instanceof NotPlainError) throw new NotPlainError(`Of ${what}: ${error.message}`);
    throw error;
  }
}
