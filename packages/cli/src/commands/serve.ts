import { loadConfig, type RunningServer, serverFlags, startServer, yieldPool } from '@quorate/server';
import { reportFailure } from '../report-failure.ts';
import { debuggerPage } from './debugger-page.ts';
import { accompany, askToJoin } from './join.ts';
import { ExitCode } from '../usage-error.ts';

/** What the shell would report of a process that a signal ended: 128 + SIGINT. */
const INTERRUPTED = 130;
/** The client commands read it in the same shells that start servers; it is no server setting. */
const CLIENT_VARIABLES = ['QUORATE_ENDPOINTS'];

/** Runs one server until a signal, its parent's end or a fatal error. */
export async function runServe(given: Readonly<Record<string, string | boolean>>): Promise<void> {
  const { options, notes } = await loadConfig(rawSettings(given), serverEnvironment());
  const ending = new AbortController();
  let server: RunningServer | null = null;
  const end = (): void => {
    // Whoever asks twice does not want to wait.
    if (ending.signal.aborted) process.exit(INTERRUPTED);
    ending.abort();
    void server?.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  if (given['stopWithParent'] === true) watchParent(end);
  await yieldPool();
  try {
    const invitation = options.join.length > 0 ? await askToJoin(options, ending.signal) : null;
    server = await startServer(options, {
      notes,
      signal: ending.signal,
      page: debuggerPage,
      ...(invitation === null ? {} : { invitation }),
    });
    if (ending.signal.aborted) await server.close();
    if (options.join.length > 0) await accompany(server, options);
    const reason = await server.stopped;
    if (reason !== null) throw reason;
  } catch (error) {
    // Told to leave while it was still starting: that is no failure.
    if (!ending.signal.aborted) process.exit(reportFailure(error));
  }
  // Whatever may have been left open must not keep a server that has closed its files.
  process.exit(ExitCode.ok);
}

/** By the server's names: `initialCluster` came from --initial-cluster. */
function rawSettings(given: Readonly<Record<string, string | boolean>>): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const { name } of serverFlags) {
    const value = given[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (value !== undefined) settings[name] = String(value);
  }
  return settings;
}

function serverEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !CLIENT_VARIABLES.includes(name)));
}

/** The parent holds the other end of standard input and never writes: it ends when the parent does, even by kill -9. */
function watchParent(end: () => void): void {
  process.stdin.on('end', end);
  process.stdin.on('error', end);
  process.stdin.resume();
}
