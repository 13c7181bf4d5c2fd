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
  | 'BadResults'
  /** The build cannot be packed for hosts. */
  | 'BadBuild'
  /** Hosts are not named as they should be. */
  | 'BadHosts'
  /** ssh does not get in. */
  | 'HostUnreachable'
  /** It lacks what servers need. */
  | 'HostUnfit'
  /** Servers on one could not be reached from another, or from here. */
  | 'HostsApart'
  /** In the middle of a run. */
  | 'HostLost';
