import { EvaluationError } from '../../src/errors.ts';

/** The code of the EvaluationError that `act` throws. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof EvaluationError) return error.code;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
