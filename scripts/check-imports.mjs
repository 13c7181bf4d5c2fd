// Holds the arrows between the rooms (scripts/lib/rooms.mjs), the purity of the pure ones, and forbids import cycles.
// The compiler's project references hold part of this; what they cannot say is said here.
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { parseSync } from 'oxc-parser';
import { isCode, isGenerated, listFiles, root } from './lib/files.mjs';
import { ARROWS, houseImport, isBundled, isPure, roomOf } from './lib/rooms.mjs';

const BUILTINS = new Set(builtinModules);
const problems = [];

/** Every module that a file names: { specifier, typeOnly, line }. */
function importsOf(path, source) {
  const { module, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const lineAt = (offset) => source.slice(0, offset).split('\n').length;
  const found = [];
  for (const { moduleRequest, entries, start } of module.staticImports) {
    const typeOnly = entries.length > 0 && entries.every((entry) => entry.isType);
    found.push({ specifier: moduleRequest.value, typeOnly, line: lineAt(start) });
  }
  for (const { entries, start } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest) found.push({ specifier: moduleRequest.value, typeOnly: isType, line: lineAt(start) });
    }
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    const text = source.slice(moduleRequest.start, moduleRequest.end);
    const literal = /^(['"])(.*)\1$/.exec(text);
    if (literal) found.push({ specifier: literal[2], typeOnly: false, line: lineAt(start) });
    else if (isPure(path)) problems.push(`${path}:${lineAt(start)}: a computed import in a pure room`);
  }
  return found;
}

/** Checks one import of a file in a package. Returns the file it leads to if that is in the same package. */
function checkImport(path, { specifier, line }, dependencies) {
  const refuse = (why) => problems.push(`${path}:${line}: imports '${specifier}': ${why}`);
  const room = roomOf(path);
  const inSource = path.startsWith(`packages/${room}/src/`);

  if (specifier.startsWith('.')) return checkRelative(path, specifier, inSource, refuse);
  if (specifier.startsWith('node:') || BUILTINS.has(specifier)) {
    if (!specifier.startsWith('node:')) refuse('write built-in modules with the node: prefix');
    else if (isPure(path)) refuse('pure rooms know no Node.js; it stands behind a ./node entry');
    return null;
  }
  const target = houseImport(specifier);
  if (target) {
    checkArrow(path, room, target, inSource, dependencies, refuse);
    return null;
  }
  if (!inSource) return null;
  if (isPure(path)) refuse('pure rooms have no dependencies outside the house');
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (!dependencies.has(name)) refuse(`add ${name} to the dependencies in packages/${room}/package.json`);
  return null;
}

function checkRelative(path, specifier, inSource, refuse) {
  const target = posix.join(dirname(path), specifier);
  if (target.includes('/dist/')) return null; // Built, perhaps not yet.
  if (!existsSync(join(root, target))) refuse('there is no such file (write the extension: .ts)');
  const home = path.startsWith('packages/') ? path.split('/', inSource ? 3 : 2).join('/') : null;
  const shared = !inSource && target.startsWith('test-support/');
  if (home && !target.startsWith(`${home}/`) && !shared)
    refuse(`reaches outside ${home}; import the package by its name`);
  if (isPure(path) && !isPure(target)) refuse('a pure file may not import from a ./node entry');
  return target;
}

function checkArrow(path, room, { room: target, entry }, inSource, dependencies, refuse) {
  if (room === null || target === room) return;
  if (!existsSync(join(root, 'packages', target, 'package.json'))) return void refuse('there is no such room');
  const { exports } = manifest(target);
  const subpath = entry === target ? '.' : `.${entry.slice(target.length)}`;
  if (!(subpath in exports)) refuse(`the package exports no '${subpath}'`);
  if (!inSource) return; // A test may look at its room from any other room.
  const arrows = ARROWS[room];
  if (!arrows?.includes(target) && !arrows?.includes(entry)) refuse(`no arrow leads from ${room} to ${entry}`);
  if (isPure(path) && subpath === './node') refuse('a pure room may not import a ./node entry');
  if (!dependencies.has(`@quorate/${target}`)) refuse(`add it to the dependencies in packages/${room}/package.json`);
}

const manifests = new Map();
function manifest(room) {
  if (!manifests.has(room)) {
    manifests.set(room, JSON.parse(readFileSync(join(root, 'packages', room, 'package.json'), 'utf8')));
  }
  return manifests.get(room);
}

/** Reports each cycle of files once, by depth-first search. Type-only imports vanish when compiled and do not count. */
function reportCycles(graph) {
  const state = new Map();
  const stack = [];
  const visit = (path) => {
    state.set(path, 'open');
    stack.push(path);
    for (const next of graph.get(path) ?? []) {
      if (state.get(next) === 'open')
        problems.push(`import cycle: ${[...stack.slice(stack.indexOf(next)), next].join(' -> ')}`);
      else if (!state.has(next)) visit(next);
    }
    stack.pop();
    state.set(path, 'done');
  };
  for (const path of graph.keys()) if (!state.has(path)) visit(path);
}

const graph = new Map();
const files = listFiles('.', (path) => isCode(path) && !path.endsWith('.d.ts'));
for (const path of files) {
  const room = roomOf(path);
  if (room && !(room in ARROWS)) problems.push(`packages/${room} is not in scripts/lib/rooms.mjs: give it its arrows`);
  const { dependencies: needed = {}, devDependencies: bundled = {} } = room ? manifest(room) : {};
  // What a bundler puts into a page is needed to build it, and by nobody who installs it.
  const dependencies = new Set(Object.keys(isBundled(path) ? { ...needed, ...bundled } : needed));
  const next = [];
  for (const found of importsOf(path, readFileSync(join(root, path), 'utf8'))) {
    const target = checkImport(path, found, dependencies);
    if (target && !found.typeOnly && !isGenerated(target)) next.push(target);
  }
  graph.set(path, next);
}
reportCycles(graph);

for (const problem of new Set(problems)) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
console.log(`${files.length} files`);
