/** The command line, or what was typed in, is wrong. Nothing was done. Ends the command with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What the process says with its exit code. 1 and 2 are etcdctl's habits; 4 is ours. */
export const ExitCode = {
  ok: 0,
  /** The command failed, and nothing was changed by it. */
  failed: 1,
  /** The command line was wrong. */
  usage: 2,
  /** A write was sent and nobody can say whether it happened: look before you repeat it. */
  outcomeUnknown: 4,
} as const;
