/** A violation as a page: what each client asked and was told, the longest order, and what the key held along it. */
import { type DrawnCall, violationPage } from '@quorate/sim';
import { ScenarioFailure } from '../cluster/failure.ts';
import { type KvViolation, registerModel, violationLines } from './linearizable.ts';
import { type KvOperation, showAnswer, showRequest, showValue } from './operations.ts';

/** Calls that a page shows: the last before the one that no order takes in, and what comes soon after. More cannot be overlooked. */
const SHOWN_BEFORE = 300;
const SHOWN_AFTER = 50;
/** In one millisecond. */
const MICROS = 1000;

/** What a scenario fails with whose history no order explains: the operations that matter in words, all of them on a page. */
export function violationFailure(violation: KvViolation): ScenarioFailure {
  return new ScenarioFailure(violationLines(violation).join('\n    '), violationHtml(violation));
}

function violationHtml({ key, operations, verdict: { prefix, stuck } }: KvViolation): string {
  const states = statesAlong(operations, prefix);
  const places = new Map(prefix.map((operation, place) => [operation, place]));
  const shown = window(operations, stuck);
  const misfit = operations[stuck];
  const verdict = [
    `${prefix.length} of ${operations.length} operations on key ${JSON.stringify(key)} fit into an order (numbered); ${shown.length} are shown.`,
    ...(misfit === undefined
      ? []
      : [
          `No order takes in ${showRequest(misfit)} of client ${misfit.client}, which was answered ${showAnswer(misfit)}, ` +
            `when the longest order had come to ${showValue(states[prefix.length] ?? registerModel.initial)}.`,
        ]),
  ];
  const calls = shown.flatMap((at) => {
    const operation = operations[at];
    return operation === undefined ? [] : [drawn(operation, places.get(at) ?? null, states)];
  });
  const title = `The answers for key ${JSON.stringify(key)} are not linearizable`;
  return violationPage({ title, verdict, calls, stuck: shown.indexOf(stuck), annotations: [] });
}

/** What the key holds before each place of the order, and behind the last. */
function statesAlong(operations: readonly KvOperation[], prefix: readonly number[]): readonly (string | null)[] {
  let state = registerModel.initial;
  const states = [state];
  for (const at of prefix) {
    const operation = operations[at];
    if (operation !== undefined) state = registerModel.step(state, operation)[0] ?? state;
    states.push(state);
  }
  return states;
}

/** Indexes of the calls around the one that is stuck, by the moment at which they were made. */
function window(operations: readonly KvOperation[], stuck: number): readonly number[] {
  const order = operations
    .map(({ called }, at) => ({ called, at }))
    .toSorted((a, b) => a.called - b.called)
    .map(({ at }) => at);
  const middle = order.indexOf(stuck);
  return order.slice(Math.max(0, middle - SHOWN_BEFORE), middle + 1 + SHOWN_AFTER);
}

function drawn(operation: KvOperation, place: number | null, states: readonly (string | null)[]): DrawnCall {
  const { client, called, returned, answer } = operation;
  return {
    client,
    called: Math.round(called * MICROS),
    returned: returned === null ? null : Math.round(returned * MICROS),
    isOpen: answer === null,
    text: `${showRequest(operation)} → ${showAnswer(operation)}`,
    place,
    hover: hoverOf(place, states),
  };
}

function hoverOf(place: number | null, states: readonly (string | null)[]): string[] {
  if (place === null) return ['has no place in this order'];
  const [before, after] = [states[place] ?? null, states[place + 1] ?? null];
  return [
    `number ${place + 1} in the longest order`,
    `before: the key holds ${showValue(before)}`,
    `after: the key holds ${showValue(after)}`,
  ];
}
