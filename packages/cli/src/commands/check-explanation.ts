import {
  type Broken,
  describeAction,
  describeMessage,
  type Explanation,
  type Flight,
  type StepReport,
} from '@quorate/sim';
import { table } from '../output/table.ts';
import { print } from './session.ts';

/** The steps of a way, each with what it did; then the two facts that contradict each other. `found`: what the search had seen. */
export function printExplanation({ steps, violation, broken }: Explanation, found: Broken | null): void {
  const flights = new Map<number, Flight>();
  const rows = steps.map((step) => {
    for (const flight of step.sent) flights.set(flight.id, flight);
    return [String(step.step), actionOf(step, flights), effectOf(step)];
  });
  print(table(['step', 'what happens', 'what comes of it'], rows));
  const last = broken ?? found;
  if (last !== null) printFacts(last);
  if (violation !== null && violation.invariant !== last?.invariant) {
    print('\nThe judges of whole runs, who know more, object before that:');
    printFacts(violation);
  }
}

function printFacts({ invariant, first, second }: Broken): void {
  print(`\n${invariant} (docs/invariants.md): ${first};`);
  print(second === '' ? '' : `but ${second}.`);
}

function actionOf({ action }: StepReport, flights: ReadonlyMap<number, Flight>): string {
  if (action.kind !== 'deliver' && action.kind !== 'drop' && action.kind !== 'duplicate') return describeAction(action);
  const message = flights.get(action.message)?.message;
  if (message === undefined) return describeAction(action);
  const does = { deliver: 'arrives', drop: 'is lost', duplicate: 'is doubled' }[action.kind];
  const what = describeMessage(message);
  return `${message.from} → ${message.to} ${message.kind} of term ${message.term}${what === '' ? '' : ` (${what})`} ${does}`;
}

/** What changed in the server, in the words of its own events. */
function effectOf({ server, outputs, sent, applied }: StepReport): string {
  const events = outputs.flatMap(({ events: all }) => all);
  const said: string[] = [];
  for (const event of events) {
    if (event.kind === 'role') said.push(`${server} is ${event.role} of term ${event.term}`);
    else if (event.kind === 'vote' && event.granted && !event.pre) said.push(`${server} votes for ${event.candidate}`);
    else if (event.kind === 'truncated') said.push(`${server} cuts entries ${event.from} to ${event.to}`);
  }
  for (const output of outputs) {
    for (const entry of output.persist?.entries ?? []) said.push(`${server} appends ${entry.index}/${entry.term}`);
    if (output.apply !== null) said.push(`${server} commits ${output.apply.to}`);
  }
  for (const { index } of applied) said.push(`${server} applies ${index}`);
  const kinds = [...new Set(sent.map(({ message }) => message.kind))];
  if (kinds.length > 0) said.push(`sends ${kinds.join(', ')}`);
  return said.join('; ');
}
