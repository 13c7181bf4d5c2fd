/**
 * Why a test takes more than it should. What others have published is the reference: a test that is slower than all of them, or makes
 * more calls, is told which of four things explains it: a busy loop, long sleeps, calls that time out, too many calls.
 */
import type { Outcome } from '../session/protocol.ts';
import { published } from './published.ts';

/** Real milliseconds of computing that are no busy loop, whatever the test. */
const COMPUTING_FREE = 1_000;
/** The course reckons with one minute of computing in six of its tests; real or virtual. */
const COMPUTING_SHARE = 6;
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
  const isBusy = computing > Math.max(COMPUTING_FREE, elapsed / COMPUTING_SHARE);
  const lines: string[] = [];
  if (isBusy) lines.push(`a busy loop: ${seconds(computing)} s of computing in a test of ${seconds(elapsed)} s`);
  if (elapsed > reference.elapsed && !isBusy) {
    lines.push(
      `slower than all published runs (at most ${seconds(reference.elapsed)} s): ${whySlow(outcome, reference.elapsed)}`,
    );
  }
  if (calls > reference.calls) {
    lines.push(`too many RPCs: at most ${reference.calls} in all published runs; here ${calls}, ${mostOf(outcome)}`);
  }
  return lines.map((line) => `      ${line}`);
}

/** The most that anybody published. */
function referenceOf(test: string): { readonly elapsed: number; readonly calls: number } | null {
  const runs = (published[test] ?? []).filter((run) => run !== null);
  if (runs.length === 0) return null;
  return {
    elapsed: Math.max(...runs.map(([time]) => time * 1000)),
    calls: Math.max(...runs.map(([, calls]) => calls)),
  };
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
