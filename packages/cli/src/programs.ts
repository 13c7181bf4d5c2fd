import { fileURLToPath } from 'node:url';
import { serveProgram, type ServerProgram } from '@quorate/processes';

/** This very command: the same path whether we run from source (tests) or from dist. It runs what was built. */
export const QUORATE_ENTRY = fileURLToPath(new URL('../bin/quorate.cjs', import.meta.url));

/** `quorate serve` of this very command, which leaves when its parent does. */
export function quorateProgram(extraFlags: readonly string[] = [], nodeFlags: readonly string[] = []): ServerProgram {
  return serveProgram(QUORATE_ENTRY, extraFlags, nodeFlags);
}
