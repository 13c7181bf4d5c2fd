/** Takes an implementation from a user's module, and says what is wrong with it if it is none. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MakeOwnService } from '../cluster/hosted-service.ts';
import { fromHandlers, type HandlerModule } from '../handlers.ts';
import type { Make } from '../interface.ts';

/** What stands in a folder, in order of preference. */
const ENTRIES = ['raft.js', 'raft.mjs', 'index.js', 'index.mjs', 'raft.ts', 'index.ts'];

/** The module cannot be tested. The message says why, and what to do. */
export class UnfitModuleError extends Error {
  override readonly name = 'UnfitModuleError';
}

/** The file of an implementation, given as a file or as a folder. @throws UnfitModuleError */
export function findModule(path: string): string {
  if (!existsSync(path))
    throw new UnfitModuleError(`There is nothing at ${path}. Make a skeleton with: quorate lab init ${path}`);
  if (!statSync(path).isDirectory()) return path;
  const entry = ENTRIES.find((name) => existsSync(join(path, name)));
  if (entry !== undefined) return join(path, entry);
  throw new UnfitModuleError(`${path} has none of ${ENTRIES.join(', ')}. Name the file of your implementation.`);
}

/** What a module gives to be tested. */
export interface Implementation {
  readonly make: Make;
  /** Null in the async style. */
  readonly handlers: HandlerModule | null;
  readonly service: MakeOwnService | undefined;
}

/** @throws UnfitModuleError */
export async function loadModule(path: string): Promise<Implementation> {
  const exported = await importModule(findModule(path));
  const { make, handlers } = exported;
  const service = serviceOf(path, exported);
  if (typeof make === 'function') return { make: make as Make, handlers: null, service };
  if (typeof handlers === 'object' && handlers !== null)
    return { make: fromHandlers(handlers as HandlerModule), handlers: handlers as HandlerModule, service };
  throw new UnfitModuleError(
    `${path} exports neither a function 'make' nor an object 'handlers'. It exports: ${Object.keys(exported).join(', ') || 'nothing'}.`,
  );
}

function serviceOf(path: string, { service }: Exported): MakeOwnService | undefined {
  if (service === undefined || typeof service === 'function') return service as MakeOwnService | undefined;
  throw new UnfitModuleError(`${path} exports 'service', which must be a function: (host, maxRaftState) => a service.`);
}

interface Exported {
  readonly service?: unknown;
  readonly make?: unknown;
  readonly handlers?: unknown;
}

async function importModule(file: string): Promise<Exported> {
  try {
    return (await import(pathToFileURL(file).href)) as Exported;
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new UnfitModuleError(`${file} cannot be loaded: ${reason}`);
  }
}
