import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type Served, servePage } from '@quorate/debugger/node';
import { quorateVersion } from '@quorate/server';
import { encodeTrace, endingOf, latestRecords, planTrace, runSeed, standardWatchers } from '@quorate/sim';
import { UsageError } from '../usage-error.ts';
import { print } from './session.ts';
import { exportRecordings } from './trace.ts';

export interface DebugFlags {
  readonly port: number;
  readonly open: boolean;
}

/** Of long recordings the end is shown: what a page can hold. */
const maxRecords = 30_000;
/** A trace is read whole, here and in the page. */
const maxTraceBytes = 256 << 20;

/** Serves the debugger until Ctrl-C. */
export async function runDebugPage(what: readonly string[], { port, open }: DebugFlags): Promise<void> {
  const server = await servePage({ trace: traceOf(what), port });
  print(`The debugger is at ${server.url}`);
  print('Ctrl-C ends it.');
  if (open) openBrowser(server.url);
  await ended();
  await server.close();
}

/** Data directories with recordings, the file of a trace, or a seed of the simulator; null for none of them. */
function traceOf(what: readonly string[]): Served['trace'] {
  const [first] = what;
  if (first === undefined) return null;
  const found = statSync(first, { throwIfNoEntry: false });
  if (found === undefined && /^\d+$/.test(first) && what.length === 1) return seedTrace(first);
  if (found?.isDirectory() === true) return recordedTrace(what);
  if (what.length > 1) throw new UsageError('Give one trace, or the data directories of several servers.');
  return { name: basename(first), text: readTrace(first, found?.size ?? null) };
}

function readTrace(path: string, size: number | null): string {
  if (size === null) {
    throw new UsageError(
      `There is no ${path}. Give the file of a trace, data directories, a seed, or nothing for a fresh cluster.`,
    );
  }
  if (size > maxTraceBytes) {
    throw new UsageError(`${path} has ${size} bytes, and the debugger opens at most ${maxTraceBytes}.`);
  }
  return readFileSync(path, 'utf8');
}

function recordedTrace(directories: readonly string[]): Served['trace'] {
  const { header, records, notes } = exportRecordings(directories, 'quorate debug');
  for (const note of notes) process.stderr.write(`${note}\n`);
  const lines = encodeTrace(header, latestRecords(records, maxRecords));
  return { name: directories.map(serverName).join(' '), text: [...lines].join('\n') };
}

/** A copy of its folder `flight` says nothing of whose it is; the folder around it may. */
function serverName(directory: string): string {
  const name = basename(directory);
  return name === 'flight' ? basename(dirname(resolve(directory))) : name;
}

function seedTrace(text: string): Served['trace'] {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`${text} is too large for a seed.`);
  const result = runSeed(seed, {}, standardWatchers);
  const { options, actions } = result;
  const plan = { plan: { seed, options, actions }, ending: endingOf(result) };
  const { header, records } = planTrace(plan, quorateVersion, 'quorate debug');
  return { name: `seed ${seed}`, text: [...encodeTrace(header, records)].join('\n') };
}

/** Where there is a desktop to open it on. That it cannot be opened is no failure: the address is printed. */
function openBrowser(url: string): void {
  const opener = openerOf(process.platform);
  if (opener === null) return;
  const [command, ...args] = opener;
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', (error) => print(`It could not be opened by itself (${error.message}).`));
  child.unref();
}

function openerOf(platform: NodeJS.Platform): readonly [string, ...string[]] | null {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['cmd', '/c', 'start', ''];
  const hasDesktop = process.env['DISPLAY'] !== undefined || process.env['WAYLAND_DISPLAY'] !== undefined;
  return hasDesktop ? ['xdg-open'] : null;
}

function ended(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
