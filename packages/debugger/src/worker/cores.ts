/** The cores with a mistake in them, each a piece of its own that is loaded when a run is of it. */
import type { Raft } from '@quorate/raft';

type Load = () => Promise<{ readonly Raft: typeof Raft }>;

// Built by packages/sim/scripts/bugs.mjs. What is not built when the page is bundled is not in it.
const cores = import.meta.glob<{ readonly Raft: typeof Raft }>('../../../sim/dist/bugs/*/raft.js');

export async function core(mutant: string): Promise<typeof Raft | null> {
  const load: Load | undefined = cores[`../../../sim/dist/bugs/${mutant}/raft.js`];
  return load === undefined ? null : (await load()).Raft;
}
