// Prints, as JSON, what every source of the packages declares: `{ path: { symbols: [name], unions: { name: [literal] } } }`.
// Symbols are the names at a file's top level and `Owner.member` (`Owner.#member`) of classes, interfaces and object literals.
// Unions are types, `Name` or `Owner.member`, made of string literals.
//
// A program of its own, for tests: the parser is native code, and native code has no place in a process that runs tests.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { isCode, isGenerated, listFiles, root } from './lib/files.mjs';

function declarationsOf(path) {
  const source = readFileSync(join(root, path), 'utf8');
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const symbols = [];
  const unions = {};
  for (const node of program.body.map(withoutExport).filter(Boolean)) {
    for (const each of node.declarations ?? [node]) {
      const name = each.id?.name;
      if (name === undefined) continue;
      symbols.push(name);
      addUnion(unions, name, each.typeAnnotation);
      for (const member of membersOf(each)) {
        if (member.key?.name === undefined) continue;
        const key = `${name}.${member.key.type === 'PrivateIdentifier' ? '#' : ''}${member.key.name}`;
        symbols.push(key);
        addUnion(unions, key, member.typeAnnotation?.typeAnnotation);
      }
    }
  }
  return { symbols, unions };
}

const withoutExport = (node) => (node.type === 'ExportNamedDeclaration' ? node.declaration : node);

/** `{ … } as const` and `{ … } satisfies T` are the literal within. */
function unwrap(node) {
  return node?.expression && node.type.startsWith('TS') ? unwrap(node.expression) : node;
}

function membersOf(node) {
  const literal = unwrap(node.init);
  if (literal?.properties) return literal.properties;
  return /^(?:Class|TSInterface)/.test(node.type) ? (node.body?.body ?? []) : [];
}

function addUnion(unions, name, type) {
  const members = type?.type === 'TSUnionType' ? type.types : type?.type === 'TSLiteralType' ? [type] : [];
  const literals = members.flatMap(({ literal }) => (typeof literal?.value === 'string' ? [literal.value] : []));
  if (literals.length > 0) unions[name] = literals;
}

const files = listFiles('packages', (path) => /\/src\//.test(path) && isCode(path) && !isGenerated(path));
console.log(JSON.stringify(Object.fromEntries(files.map((path) => [path, declarationsOf(path)]))));
