/** The files of the built page. What is not in this table does not exist: no path is ever made of what somebody asks for. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Beside the compiled files, wherever the package is: from the sources the way is the same. */
const folder = fileURLToPath(new URL('../../dist/page', import.meta.url));

let files: ReadonlyMap<string, PageFile> | null = null;

/** The file at a path of the page, '/' for the page itself; null if there is none. Throws where the page has not been built. */
export function pageFile(path: string): PageFile | null {
  files ??= readFiles();
  return files.get(path === '/' ? '/index.html' : path) ?? null;
}

function readFiles(): ReadonlyMap<string, PageFile> {
  const found = new Map<string, PageFile>();
  for (const entry of entries()) {
    const type = types[extname(entry)];
    if (type === undefined) continue;
    found.set(`/${entry.replaceAll('\\', '/')}`, { type, bytes: readFileSync(join(folder, entry)) });
  }
  if (!found.has('/index.html'))
    throw new Error(`The page has not been built: ${folder} has no index.html. Run npm run build.`);
  return found;
}

function entries(): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    throw new Error(`The page has not been built: there is no ${folder}. Run npm run build.`, { cause: error });
  }
}
