// Runs seeds one after another until one fails, and prints it as JSON; null if none does. For mutants.mjs, on a copy that is built.
//
//   node packages/sim/scripts/until-caught.mjs FIRST COUNT [INVARIANT]
//
// With an invariant, that one alone is looked for, whatever else is broken before.
import { Invariants, reportSeed, standardWatchers } from '@quorate/sim';

const [first, count] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4] ?? null;
const watchers =
  only === null ? standardWatchers : ({ damage }) => [new Invariants({ isDamageBudgeted: !damage.beyond, only })];
let caught = null;
for (let seed = first; seed < first + count && caught === null; seed++) {
  const { failure } = reportSeed(seed, {}, watchers);
  if (failure !== null && (only === null || failure.invariant === only))
    caught = { seed, kind: failure.kind, invariant: failure.invariant, first: failure.first };
}
console.log(JSON.stringify(caught));
