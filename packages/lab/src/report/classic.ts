/** The classic course's output, line for line, and what explains a test that takes more than it should. */
import type { Outcome } from '../session/protocol.ts';

export function titleLine({ part, title }: Pick<Outcome, 'part' | 'title'>): string {
  return `Test (${part}): ${title} ...`;
}

/** Of a test that did not fail: seconds, servers, RPCs, bytes, commands agreed on; in the key-value part there are no bytes, and what clients asked is counted. */
export function passedLine({ part, elapsed, servers, calls, bytes, agreed, notOffered }: Outcome): string {
  if (notOffered !== null) return `  ... Not run -- not offered: ${notOffered}`;
  const columns = [
    (elapsed / 1000).toFixed(1).padStart(5),
    ` ${servers}`,
    String(calls).padStart(4),
    ...(part === 'kv' || part === 'door' ? [] : [String(bytes).padStart(7)]),
    String(agreed).padStart(4),
  ];
  return `  ... Passed -- ${columns.join(' ')}`;
}

/** Where the time went, and the calls by kind. */
export function detailLine({ elapsed, calling, computing, callsByMethod }: Outcome): string {
  const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1);
  const kinds = callsByMethod
    .toSorted(([, a], [, b]) => b - a)
    .map(([method, count]) => `${method} ${count}`)
    .join(', ');
  return (
    `      asleep ${seconds(elapsed - calling)} s, waiting for calls ${seconds(calling)} s, ` +
    `computing ${(computing / 1000).toFixed(2)} s; ${kinds}`
  );
}

/** What the whole run took: the last lines of the classic output, then the shell's own. */
export function totalLines(
  elapsed: number,
  usage: { readonly user: number; readonly system: number },
  wall: number,
): string[] {
  const busy = usage.user + usage.system;
  return [
    'PASS',
    `ok  raft  ${(elapsed / 1000).toFixed(3)}s`,
    `${(usage.user / 1000).toFixed(2)}s user ${(usage.system / 1000).toFixed(2)}s system ` +
      `${((100 * busy) / Math.max(1, wall)).toFixed(0)}% cpu ${(wall / 1000).toFixed(3)} total`,
  ];
}
