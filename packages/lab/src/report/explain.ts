/**
 * Why a test takes more than it should. What others have published is the reference: a test that is slower than all of them, or makes
 * more calls, is told which of four things explains it: a busy loop, long sleeps, calls that time out, too many calls.
 */
import type { Outcome } from '../session/protocol.ts';
import { published } from './published.ts';
import { publishedStores } from './published-store.ts';

/** Milliseconds of computing that are no busy loop, whatever the test. */
const COMPUTING_FREE = 1_000;
/** The course reckons with one minute of computing in six of its tests, real or virtual; this is twice as much. */
const COMPUTING_SHARE = 3;
/** What was published are single runs: chance alone makes another one a little slower. Percent. */
const TIME_MARGIN = 110;
/** In short tests of few calls it makes out more. Percent. */
const CALLS_MARGIN = 125;
/** Methods that are named. */
const NAMED = 3;

type Figures = Pick<
  Outcome,
  'test' | 'elapsed' | 'calls' | 'callsByMethod' | 'computing' | 'pauses' | 'unanswered' | 'notOffered'
>;

/** Nothing for a test within its reference, or without one. */
export function explanationLines(outcome: Figures): string[] {
  const reference = referenceOf(outcome.test);
  if (reference === null || outcome.notOffered !== null) return [];
  const { elapsed, calls, computing } = outcome;
  // Of a store that is worked on all the time computing says nothing.
  const isBusy = !(outcome.test in publishedStores) && computing > Math.max(COMPUTING_FREE, elapsed / COMPUTING_SHARE);
  const lines: string[] = [];
  if (isBusy) lines.push(`a busy loop: ${seconds(computing)} s of computing in a test of ${seconds(elapsed)} s`);
  if (100 * elapsed > TIME_MARGIN * reference.elapsed && !isBusy) {
    lines.push(
      `slower than all published runs (at most ${seconds(reference.elapsed)} s): ${whySlow(outcome, reference.elapsed)}`,
    );
  }
  if (100 * calls > CALLS_MARGIN * reference.calls) {
    lines.push(`too many RPCs: at most ${reference.calls} in all published runs; here ${calls}, ${mostOf(outcome)}`);
  }
  return lines.map((line) => `      ${line}`);
}

/** In these clients start as many commands as they can, and so do calls grow. */
const unbounded: ReadonlySet<string> = new Set(['ReliableChurn', 'UnreliableChurn']);

/** The most that anybody published. */
function referenceOf(test: string): { readonly elapsed: number; readonly calls: number } | null {
  const stores = publishedStores[test]?.runs;
  // How many calls a store makes depends on how many operations its clients get done.
  if (stores !== undefined) {
    return { elapsed: Math.max(...stores.map(([time]) => time * 1000)), calls: Number.POSITIVE_INFINITY };
  }
  const runs = (published[test] ?? []).filter((run) => run !== null);
  if (runs.length === 0) return null;
  const calls = unbounded.has(test) ? Number.POSITIVE_INFINITY : Math.max(...runs.map(([, each]) => each));
  return { elapsed: Math.max(...runs.map(([time]) => time * 1000)), calls };
}

function whySlow({ elapsed, pauses: { asleep, waiting }, unanswered }: Figures, reference: number): string {
  const excess = elapsed - reference;
  // Pauses that make up less than half of it leave it to what is too short to be one.
  if (Math.max(asleep, waiting) < excess / 2) {
    return 'many short sleeps: no pause of half a second explains it. Do entries wait for the next heartbeat, or their commit for another?';
  }
  if (waiting > asleep) {
    return (
      `RPC timeouts: for ${seconds(waiting)} s nothing happened but that servers waited for calls; ${unanswered} had no answer. ` +
      'Ask all at once, and wait for none'
    );
  }
  return (
    `long sleeps: for ${seconds(asleep)} s no server that reaches another had a call under way or was answered. ` +
    'Shorter election timeouts, or sleeps?'
  );
}

function mostOf({ callsByMethod }: Figures): string {
  return callsByMethod
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, NAMED)
    .map(([method, count]) => `${count} ${method}`)
    .join(', ');
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
