import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { servePage } from '@quorate/debugger/node';
import { UsageError } from '../usage-error.ts';
import { print } from './session.ts';

export interface DebugFlags {
  readonly port: number;
  readonly open: boolean;
}

/** A trace is read whole, here and in the page. */
const maxTraceBytes = 256 << 20;

/** Serves the debugger until Ctrl-C. */
export async function runDebugPage(path: string | undefined, { port, open }: DebugFlags): Promise<void> {
  const trace = path === undefined ? null : { name: basename(path), text: readTrace(path) };
  const server = await servePage({ trace, port });
  print(`The debugger is at ${server.url}`);
  print('Ctrl-C ends it.');
  if (open) openBrowser(server.url);
  await ended();
  await server.close();
}

function readTrace(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    throw new UsageError(`There is no ${path}. Give the file of a trace, or none for a fresh cluster.`);
  if (found.isDirectory()) {
    throw new UsageError(
      `${path} is a directory. Make a trace of recordings first: quorate trace export ${path} -o trace.json`,
    );
  }
  if (found.size > maxTraceBytes) {
    throw new UsageError(`${path} has ${found.size} bytes, and the debugger opens at most ${maxTraceBytes}.`);
  }
  return readFileSync(path, 'utf8');
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
