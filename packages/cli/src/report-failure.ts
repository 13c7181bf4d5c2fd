import { CommanderError } from 'commander';
import { ExitCode, UsageError } from './usage-error.ts';

/** Says on standard error what went wrong, in one sentence where the error is one of ours; returns the exit code. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (error instanceof UsageError) return say(error.message, ExitCode.usage);
  const code = codeOf(error);
  if (code === 'InvalidConfiguration') return say(messageOf(error), ExitCode.usage);
  if (code === 'OutcomeUnknown') return say(messageOf(error), ExitCode.outcomeUnknown);
  if (code !== null) return say(messageOf(error), ExitCode.failed);
  // Not foreseen: whoever mends it needs the stack.
  return say(error instanceof Error ? (error.stack ?? error.message) : String(error), ExitCode.failed);
}

/** The stable code that every typed error of the house carries; also that of the system (ENOENT and the like). */
function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function say(message: string, exitCode: number): number {
  process.stderr.write(`Error: ${message}\n`);
  return exitCode;
}
