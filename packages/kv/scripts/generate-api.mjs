// Turns proto/**/*.proto into src/api/generated: `node packages/kv/scripts/generate-api.mjs`.
// With --check it writes nothing and fails when what is committed differs.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitIndex, emitMessages, emitServices } from './api-emit.mjs';
import { loadSchema } from './api-schema.mjs';
import { format } from './api-format.mjs';

const room = join(dirname(fileURLToPath(import.meta.url)), '..');
const protoRoot = join(room, 'proto');
export const generatedRoot = join(room, 'src', 'api', 'generated');

/** Path below src/api/generated → text. */
export function generate() {
  const schema = loadSchema(protoRoot);
  const files = new Map();
  for (const file of schema.files) {
    if (file.messages.length + file.enums.length > 0) files.set(file.output, emitMessages(schema, file));
  }
  files.set('services.ts', emitServices(schema));
  files.set('index.ts', emitIndex(files.keys()));
  return new Map([...files].map(([path, text]) => [path, format(path, text)]));
}

/** Path below src/api/generated → text, as it lies on disk. */
export function committed() {
  const paths = readdirSync(generatedRoot, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(generatedRoot, join(entry.parentPath, entry.name)));
  return new Map(paths.map((path) => [path, readFileSync(join(generatedRoot, path), 'utf8')]));
}

function write(files) {
  rmSync(generatedRoot, { recursive: true, force: true });
  for (const [path, text] of files) {
    const target = join(generatedRoot, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  console.log(`${files.size} files written to ${relative(process.cwd(), generatedRoot)}`);
}

function check(files) {
  const present = committed();
  const stale = [...new Set([...files.keys(), ...present.keys()])].filter(
    (path) => files.get(path) !== present.get(path),
  );
  if (stale.length === 0) return;
  console.error(`Not as proto/ says: ${stale.join(', ')}. Run node packages/kv/scripts/generate-api.mjs and commit.`);
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) check(generate());
  else write(generate());
}
