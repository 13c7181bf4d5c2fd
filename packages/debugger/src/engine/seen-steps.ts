/**
 * The steps of a run that was seen from outside. What a server does at one moment is one step: what it was told, and what it called, answered,
 * saved and applied because of it.
 */
import type { SeenEvent, SeenRecord, SeenRun } from '@quorate/sim';

export interface SeenStep {
  readonly at: number;
  readonly server: string | null;
  /** The first is what it begins with. */
  readonly events: SeenRecord[];
}

/** What follows from something, and is told as a part of it where it happens at the same moment. */
const consequences: ReadonlySet<SeenEvent['kind']> = new Set(['call', 'answer', 'state', 'save', 'apply', 'restore']);

export function stepsOf({ events, failure }: SeenRun): readonly SeenStep[] {
  const steps: SeenStep[] = [];
  const last = new Map<string, SeenStep>();
  for (const record of events) {
    const { at, server, event } = record;
    const before = server === null ? undefined : last.get(server);
    if (before?.at === at && consequences.has(event.kind)) {
      before.events.push(record);
      continue;
    }
    const step: SeenStep = { at, server, events: [record] };
    steps.push(step);
    if (server !== null) last.set(server, step);
  }
  if (failure !== null) steps.push(failureStep(steps, failure));
  return steps;
}

/** A failed test ends with its finding. */
function failureStep(steps: readonly SeenStep[], failure: string): SeenStep {
  const at = steps[steps.length - 1]?.at ?? 0;
  const text = `the test fails: ${failure}`;
  return { at, server: null, events: [{ kind: 'seen', at, server: null, event: { kind: 'step', text } }] };
}

/** Two things that were seen and contradict each other. */
export interface Conflict {
  readonly firstStep: number;
  readonly step: number;
  readonly first: string;
  readonly second: string;
}

/** The first of what can never be: two servers applied different things at one index, or both led one term. Null if there is none. */
export function conflictIn(steps: readonly SeenStep[]): Conflict | null {
  return applicationsIn(steps) ?? leadersIn(steps);
}

function applicationsIn(steps: readonly SeenStep[]): Conflict | null {
  const applied = new Map<number, { readonly step: number; readonly server: string; readonly text: string }>();
  for (const [at, { server, events }] of steps.entries()) {
    for (const { event } of events) {
      if (event.kind !== 'apply' || server === null) continue;
      const { index, text } = event;
      const other = applied.get(index);
      if (other === undefined) applied.set(index, { step: at + 1, server, text });
      else if (other.text !== text) {
        const first = `${other.server} applied ${other.text} at index ${index}`;
        return { firstStep: other.step, step: at + 1, first, second: `${server} applies ${text} there` };
      }
    }
  }
  return null;
}

function leadersIn(steps: readonly SeenStep[]): Conflict | null {
  const leaders = new Map<number, { readonly step: number; readonly server: string }>();
  for (const [at, { server, events }] of steps.entries()) {
    for (const { event } of events) {
      if (event.kind !== 'state' || !event.isLeader || server === null) continue;
      const { term } = event;
      const other = leaders.get(term);
      if (other === undefined) leaders.set(term, { step: at + 1, server });
      else if (other.server !== server) {
        const first = `${other.server} led term ${term}`;
        return { firstStep: other.step, step: at + 1, first, second: `${server} leads it too` };
      }
    }
  }
  return null;
}
