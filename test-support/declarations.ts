/** What the packages' sources declare, so that documents that name a function can be held to the truth. */
import { execFileSync } from 'node:child_process';
import { join, relative, sep } from 'node:path';

const root = join(import.meta.dirname, '..');

interface Declarations {
  readonly symbols: readonly string[];
  readonly unions: Readonly<Record<string, readonly string[]>>;
}

let declarations: Readonly<Record<string, Declarations>> | null = null;

function declarationsOf(path: string): Declarations {
  declarations ??= readDeclarations();
  const found = declarations[relative(root, path).split(sep).join('/')];
  if (found === undefined) throw new Error(`${path} is not a source of a package`);
  return found;
}

function readDeclarations(): Readonly<Record<string, Declarations>> {
  const script = join(root, 'scripts/declarations.mjs');
  const output = execFileSync(process.execPath, [script], { encoding: 'utf8', maxBuffer: 64 << 20 });
  return JSON.parse(output) as Readonly<Record<string, Declarations>>;
}

/** The names that a file declares: `name`, `Owner.member`, `Owner.#member`. */
export function declaredSymbols(path: string): readonly string[] {
  return declarationsOf(path).symbols;
}

/** The string literals of a union type, or of a member's type: `unionOf(path, 'StorageError.code')`. */
export function unionOf(path: string, name: string): readonly string[] {
  const literals = declarationsOf(path).unions[name];
  if (literals === undefined) throw new Error(`${path} declares no union ${name}`);
  return literals;
}
