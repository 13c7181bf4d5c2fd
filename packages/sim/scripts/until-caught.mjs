// Runs seeds one after another until one fails, and prints it as JSON; null if none does. For mutants.mjs, on a copy that is built.
//
//   node packages/sim/scripts/until-caught.mjs FIRST COUNT
import { reportSeed, standardWatchers } from '@quorate/sim';

const [first, count] = process.argv.slice(2).map(Number);
let caught = null;
for (let seed = first; seed < first + count && caught === null; seed++) {
  const { failure } = reportSeed(seed, {}, standardWatchers);
  if (failure !== null) caught = { seed, kind: failure.kind, invariant: failure.invariant, first: failure.first };
}
console.log(JSON.stringify(caught));
