/** Reads what a TypeScript source declares, so that documents that name a function can be held to the truth. */
import { readFileSync } from 'node:fs';
import { parseSync } from 'oxc-parser';

/**
 * Every name declared at a file's top level, and `Owner.member` (`Owner.#member`) for members of classes, interfaces and object
 * literals, each with the text of its initial value ('' where it has none).
 */
export function declaredSymbols(path: string): ReadonlyMap<string, string> {
  const source = readFileSync(path, 'utf8');
  const symbols = new Map<string, string>();
  for (const node of topLevel(path, source)) declare(node, source, symbols);
  return symbols;
}

function topLevel(path: string, source: string): readonly Node[] {
  const { program, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  return program.body.flatMap((statement) => {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    return declaration === null ? [] : [declaration as unknown as Node];
  });
}

/** The string literals of a union type, or of a member's type: `unionOf(path, 'StorageError.code')`. */
export function unionOf(path: string, name: string): readonly string[] {
  const declared = declaredTypes(path).get(name);
  if (declared === undefined) throw new Error(`${path} declares no type ${name}`);
  const members = declared.type === 'TSUnionType' ? (declared.types ?? []) : [declared];
  return members.flatMap(({ literal }) => (typeof literal?.value === 'string' ? [literal.value] : []));
}

function declaredTypes(path: string): ReadonlyMap<string, Node> {
  const types = new Map<string, Node>();
  for (const node of topLevel(path, readFileSync(path, 'utf8'))) {
    if (node.id?.name === undefined) continue;
    if (node.type === 'TSTypeAliasDeclaration' && node.typeAnnotation) types.set(node.id.name, node.typeAnnotation);
    for (const member of node.body?.body ?? []) {
      const type = member.typeAnnotation?.typeAnnotation;
      if (member.key?.name !== undefined && type) types.set(`${node.id.name}.${member.key.name}`, type);
    }
  }
  return types;
}

/** As much of the syntax tree as is looked at here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly id?: Node | null;
  readonly name?: string;
  readonly key?: Node;
  readonly init?: Node | null;
  readonly value?: Node | string | number | null;
  readonly literal?: Node;
  readonly types?: readonly Node[];
  readonly typeAnnotation?: Node;
  readonly expression?: Node;
  readonly declarations?: readonly Node[];
  readonly properties?: readonly Node[];
  readonly body?: { readonly body?: readonly Node[] } | null;
}

function declare(node: Node, source: string, symbols: Map<string, string>): void {
  for (const each of node.declarations ?? [node]) {
    const name = each.id?.name;
    if (name === undefined) continue;
    const initial = unwrap(each.init ?? null);
    symbols.set(name, textOf(initial, source));
    const members =
      initial?.properties ?? (/^(?:Class|TSInterface)/.test(each.type) ? each.body?.body : undefined) ?? [];
    for (const { key, value } of members) {
      if (key?.name === undefined) continue;
      const member = key.type === 'PrivateIdentifier' ? `#${key.name}` : key.name;
      symbols.set(`${name}.${member}`, textOf(value ?? null, source));
    }
  }
}

/** `{ … } as const` and `{ … } satisfies T` are the literal within. */
function unwrap(node: Node | null): Node | null {
  return node?.expression !== undefined && node.type.startsWith('TS') ? unwrap(node.expression) : node;
}

function textOf(node: Node | string | number | null, source: string): string {
  return node === null || typeof node !== 'object' ? '' : source.slice(node.start, node.end);
}
