#!/usr/bin/env node
import { buildProgram } from './program.ts';
import { reportFailure } from './report-failure.ts';

// Whoever reads our output may leave before the end (`quorate get … | head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
