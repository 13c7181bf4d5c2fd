/** Runs with a mistake in their core are made with that very core. */
import { bugNamed } from '@quorate/sim';
import type { Host } from './host.ts';
import type { RunSetup } from './setup.ts';

/** The setup with its core. Rejects where there is none of that name here. */
export async function equip(setup: RunSetup, host: Host): Promise<RunSetup> {
  if (setup.bug === null) return setup;
  const bug = bugNamed(setup.bug);
  const core = bug === null ? null : await host.core(bug.mutant);
  if (core === null) {
    throw new Error(`The core with the mistake "${setup.bug}" is not in this page. In a clone: npm run build.`);
  }
  return { ...setup, options: { ...setup.options, core } };
}
