/** What can be wrong with how an evaluation is asked for. The message says what to do. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
  readonly code: EvaluationErrorCode;

  constructor(code: EvaluationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type EvaluationErrorCode =
  | 'UnknownExperiment'
  | 'NoSuchCell'
  | 'PlanDiffers'
  | 'BadDirectory'
  | 'OutInUse'
  | 'TooFewPorts'
  | 'BadResults';
