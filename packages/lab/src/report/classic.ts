/** The classic course's output, line for line, and what explains a test that takes more than it should. */
import type { SearchSummary, StageSummary } from '../search/search-report.ts';
import type { Outcome } from '../session/protocol.ts';

export function titleLine({ part, title }: Pick<Outcome, 'part' | 'title'>): string {
  return `Test (${part}): ${title} ...`;
}

/** Of a test that did not fail: seconds, servers, RPCs, bytes, commands agreed on; in the key-value part there are no bytes, and what clients asked is counted. */
export function passedLine(outcome: Outcome): string {
  const { part, elapsed, servers, calls, bytes, agreed, notOffered, search } = outcome;
  if (notOffered !== null) return `  ... Not run -- not offered: ${notOffered}`;
  if (search !== null) return `  ... Passed -- ${searchedLine(search)}`;
  const columns = [
    (elapsed / 1000).toFixed(1).padStart(5),
    ` ${servers}`,
    String(calls).padStart(4),
    ...(part === 'kv' || part === 'door' ? [] : [String(bytes).padStart(7)]),
    String(agreed).padStart(4),
  ];
  return `  ... Passed -- ${columns.join(' ')}`;
}

/** What was looked at, and whether that is all there is. */
function searchedLine({ verdict, states, steps, depth, runs }: SearchSummary): string {
  const space = `${count(states)} states, ${count(steps)} steps, depth ${depth}`;
  if (verdict === 'rerun') return `by rerun, bounded: ${count(runs)} runs, ${count(steps)} steps, depth ${depth}`;
  return verdict === 'exhausted' ? `exhausted: ${space}` : `bounded: ${space}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Where the time went, and the calls by kind; of a search, its stages. */
export function detailLines(outcome: Outcome): string[] {
  return outcome.search === null ? [detailLine(outcome)] : outcome.search.stages.map(stageLine);
}

function stageLine({ name, bounds, end, states, steps, depth }: StageSummary): string {
  return `      ${name} (${bounds}): ${end}, ${count(states)} states, ${count(steps)} steps, depth ${depth}`;
}

function detailLine({ elapsed, calling, computing, callsByMethod }: Outcome): string {
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
