// Prints, as JSON, every module outside the house that a built entry imports, directly or through the house:
//
//   node scripts/foreign-imports.mjs @quorate/raft
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { root } from './lib/files.mjs';
import { houseImport } from './lib/rooms.mjs';

/** The file that a package's entry leads to, as everyone outside the house sees it. */
function builtEntry(specifier) {
  const target = houseImport(specifier);
  if (target === null) throw new Error(`${specifier} is not of the house`);
  const folder = join(root, 'packages', target.room);
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const entry = exports[target.entry === target.room ? '.' : `.${target.entry.slice(target.room.length)}`];
  if (entry === undefined) throw new Error(`${specifier} is not exported`);
  return join(folder, entry.default);
}

function requestsOf(path) {
  const { module, errors } = parseSync(path, readFileSync(path, 'utf8'));
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  if (module.dynamicImports.length > 0) throw new Error(`${path} imports dynamically; this walk does not follow that`);
  return [
    ...module.staticImports.map((each) => each.moduleRequest.value),
    ...module.staticExports.flatMap((each) => each.entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? [])),
  ];
}

const [entry = ''] = process.argv.slice(2);
const foreign = new Set();
const seen = new Set();
const waiting = [builtEntry(entry)];
for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
  if (seen.has(path)) continue;
  seen.add(path);
  for (const specifier of requestsOf(path)) {
    if (specifier.startsWith('.')) waiting.push(join(dirname(path), specifier));
    else if (houseImport(specifier) !== null) waiting.push(builtEntry(specifier));
    else foreign.add(specifier);
  }
}
console.log(JSON.stringify([...foreign].sort()));
