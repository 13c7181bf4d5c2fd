/** A failed test: what was expected, what happened at each server, and how to see it again. */
import type { FailureNote, Moment, Outcome } from '../session/protocol.ts';

/** Events of each server that are shown. */
const SHOWN = 12;
const SHOWN_STEPS = 4;

/** `command` runs it again; `page` is where a page about it was written. */
export function failureLines(outcome: Outcome, command: string, page: string | null = null): string[] {
  const { failure } = outcome;
  if (failure === null) return [];
  if (outcome.search !== null) {
    return [
      `--- FAIL: ${outcome.test}`,
      ...failure.message.split('\n').map((line) => `    ${line}`),
      ...failure.way.map((line) => `    ${line}`),
      `    again: ${command}`,
    ];
  }
  return [
    `--- FAIL: ${outcome.test} (${(outcome.elapsed / 1000).toFixed(2)}s)`,
    `    ${failure.message}`,
    ...whereLines(failure),
    ...failure.steps.slice(-SHOWN_STEPS).map((step) => `    ${moment(step)} (test)`),
    ...failure.events.flatMap(({ server, moments }) => [
      `    server ${server}, the last events:`,
      ...moments.slice(-SHOWN).map((event) => `      ${moment(event)}`),
    ]),
    ...(page === null ? [] : [`    all operations, in a browser: ${page}`]),
    `    seed ${outcome.seed}; again: ${command}`,
  ];
}

/** Of code that threw or never ended; where a scenario failed its own code says nothing to its reader. */
function whereLines({ stack, message }: FailureNote): string[] {
  const isScenario = stack === '' || stack.startsWith('ScenarioFailure');
  if (isScenario) return [];
  const lines = stack.split('\n').filter((line) => line.trim().startsWith('at ') || !line.includes(message));
  return lines.slice(0, SHOWN).map((line) => `    ${line.trim()}`);
}

function moment({ at, text }: Moment): string {
  return `${(at / 1000).toFixed(4).padStart(9)} s  ${text}`;
}
