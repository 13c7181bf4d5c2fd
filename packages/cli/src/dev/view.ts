/** What the screen shows, as plain data, and how it becomes lines. Pure: the same view gives the same lines. */
import { LEAST_PAUSE_MS } from './pause.ts';

export interface ServerLine {
  readonly name: string;
  readonly address: string;
  readonly role: string;
  readonly term: number | null;
  readonly commitIndex: number | null;
  /** Entries behind the leader's commit index; null when there is no leader to compare with. */
  readonly lag: number | null;
  readonly pid: number | null;
  /** Cut off, slowed, killed, its last words: whatever a person should know. */
  readonly note: string;
}

export interface DevView {
  readonly upSeconds: number;
  readonly servers: readonly ServerLine[];
  readonly acknowledged: number;
  readonly lost: number;
  readonly refused: number;
  readonly unknown: number;
  readonly checked: number;
  /** A pause that goes on at this moment and is worth an alarm, or null. Milliseconds. */
  readonly currentPause: number | null;
  readonly lastPause: { readonly ms: number; readonly secondsAgo: number; readonly after: string } | null;
  /** The newest happenings, oldest first. */
  readonly events: readonly string[];
  readonly dataDirectory: string;
  /** `host:port` of every server, for the line to paste. */
  readonly endpoints: readonly string[];
}

const KEY_HELP =
  'k kill -9 the leader   r restart what is down   p cut the leader off, or heal   s slow a server, or all normal   d debugger   q quit';
const SHORT_KEY_HELP = 'k kill leader  r restart  p cut off  s slow  d debug  q quit';

const bold = (text: string): string => `\x1b[1m${text}\x1b[22m`;
const dim = (text: string): string => `\x1b[2m${text}\x1b[22m`;
const red = (text: string): string => `\x1b[31m${text}\x1b[39m`;
const green = (text: string): string => `\x1b[32m${text}\x1b[39m`;

/** A screenful. `rows` bounds the events shown, so that the keys stay in sight. */
export function screenLines(view: DevView, columns: number, rows: number): string[] {
  const fixed = view.servers.length + 10;
  const events = view.events.slice(-Math.max(0, Math.min(view.events.length, rows - fixed)));
  const lines = [
    bold(`Quorate, ${view.servers.length} servers on this machine, up ${duration(view.upSeconds)}`),
    '',
    dim(serverRow(['server', 'role', 'term', 'commit', 'lag', 'pid', 'clients', ''])),
    ...view.servers.map((server) => colourRole(server, serverRow(cells(server)))),
    '',
    `${bold('writes acknowledged')} ${grouped(view.acknowledged)}   ${lostText(view.lost)}   ${pauseText(view)}`,
    dim(
      `refused ${grouped(view.refused)}   outcome unknown ${grouped(view.unknown)}   read back and checked ${grouped(view.checked)}`,
    ),
    '',
    ...events,
    dim(`data in ${view.dataDirectory}`),
    etcdctlLine(view.endpoints, columns),
    bold(KEY_HELP.length <= columns ? KEY_HELP : SHORT_KEY_HELP),
  ];
  return lines.map((line) => clip(line, columns));
}

/** Everything in one line, for logs and pipes. */
export function summaryLine(view: DevView): string {
  const servers = view.servers
    .map(
      (server) =>
        `${server.name}=${server.role}/${server.term ?? '-'}/${server.commitIndex ?? '-'}/${server.lag ?? '-'}/${server.pid ?? '-'}`,
    )
    .join(' ');
  const pause = view.currentPause ?? view.lastPause?.ms ?? 0;
  return `${duration(view.upSeconds)} acknowledged=${view.acknowledged} lost=${view.lost} unknown=${view.unknown} last-pause-ms=${Math.round(pause)} ${servers}`;
}

/** A line to paste, with as many endpoints as fit on one line: a clipped one could not be pasted. */
export function etcdctlLine(endpoints: readonly string[], columns: number): string {
  for (let count = endpoints.length; count > 1; count--) {
    const line = etcdctlWith(endpoints.slice(0, count));
    if (line.length <= columns) return line;
  }
  return etcdctlWith(endpoints.slice(0, 1));
}

function etcdctlWith(endpoints: readonly string[]): string {
  return `etcdctl --endpoints=${endpoints.join(',')} put hello world`;
}

function cells(server: ServerLine): string[] {
  return [
    server.name,
    server.role,
    numberOrDash(server.term),
    numberOrDash(server.commitIndex),
    numberOrDash(server.lag),
    server.pid === null ? '-' : String(server.pid),
    server.address,
    server.note,
  ];
}

function serverRow([
  name = '',
  role = '',
  term = '',
  commit = '',
  lag = '',
  pid = '',
  address = '',
  note = '',
]: readonly string[]): string {
  return `${name.padEnd(8)}${role.padEnd(13)}${term.padStart(6)}${commit.padStart(13)}${lag.padStart(9)}${pid.padStart(9)}   ${address.padEnd(17)}  ${note}`.trimEnd();
}

function colourRole(server: ServerLine, text: string): string {
  if (server.role === 'leader') return green(text);
  return server.role === 'down' ? red(text) : text;
}

function lostText(lost: number): string {
  return lost === 0 ? `${bold('writes lost')} ${green('0')}` : `${bold('writes lost')} ${red(grouped(lost))}`;
}

function pauseText(view: DevView): string {
  if (view.currentPause !== null) return `${bold('pause')} ${red(`${Math.round(view.currentPause)} ms and counting`)}`;
  if (view.lastPause === null) return `${bold('last pause')} none of ${LEAST_PAUSE_MS} ms or more`;
  const { ms, secondsAgo, after } = view.lastPause;
  return `${bold('last pause')} ${Math.round(ms)} ms (after ${after}, ${duration(secondsAgo)} ago)`;
}

function numberOrDash(value: number | null): string {
  return value === null ? '-' : grouped(value);
}

/** 1234567 as 1,234,567. */
function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const clock = `${Math.floor((whole % 3600) / 60)}:${String(whole % 60).padStart(2, '0')}`;
  return whole < 3600 ? clock : `${Math.floor(whole / 3600)}:${clock.padStart(5, '0')}`;
}

/** Cuts to `columns` visible characters; colour codes take no room and are closed at the cut. */
function clip(line: string, columns: number): string {
  let visible = 0;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\x1b') {
      at = line.indexOf('m', at);
      continue;
    }
    visible++;
    if (visible > columns) return `${line.slice(0, at)}\x1b[0m`;
  }
  return line;
}
