/** Reads what a TypeScript source declares, so that documents that name a function can be held to the truth. */
import { readFileSync } from 'node:fs';
import { parseSync } from 'oxc-parser';

/**
 * Every name declared at a file's top level, and `Owner.member` for members of classes, interfaces and object literals,
 * each with the text of its initial value ('' where it has none).
 */
export function declaredSymbols(path: string): ReadonlyMap<string, string> {
  const source = readFileSync(path, 'utf8');
  const { program, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const symbols = new Map<string, string>();
  for (const statement of program.body) {
    const exported = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (exported !== null) declare(exported as unknown as Node, source, symbols);
  }
  return symbols;
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
  readonly value?: Node | null;
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
    for (const member of members) {
      if (member.key?.name !== undefined)
        symbols.set(`${name}.${member.key.name}`, textOf(member.value ?? null, source));
    }
  }
}

/** `{ … } as const` and `{ … } satisfies T` are the literal within. */
function unwrap(node: Node | null): Node | null {
  return node?.expression !== undefined && node.type.startsWith('TS') ? unwrap(node.expression) : node;
}

function textOf(node: Node | null, source: string): string {
  return node === null ? '' : source.slice(node.start, node.end);
}
