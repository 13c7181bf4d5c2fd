/**
 * A run of whole nodes with another decision in it. The world is made again from its seed, with the adversary's list of deeds changed in one
 * place; up to that place everything goes as it went. What the adversary did later it does again.
 */
import { type Action, encodeTrace, type Ending, type Plan, planTrace } from '@quorate/sim';
import { withShortNames } from './names.ts';
import { faultChoices, leaveOutChoice, type Victim } from './node-faults.ts';
import type { PendingItem } from './protocol.ts';
import { codeVersion } from './version.ts';
import type { Deed, Fork, Forking, RecordedEvent, Recording } from './recording.ts';

/** Where in its world an event happened: virtual microseconds, and the world's steps so far. */
export interface WorldMoment {
  readonly at: number;
  readonly step: number;
}

interface Made {
  readonly plan: Plan;
  /** How it ends. */
  readonly ending: Ending;
  /** Makes another run of the same world. */
  readonly record: (plan: Plan) => Recording;
  readonly events: readonly RecordedEvent[];
  /** Of each event. */
  readonly moments: readonly WorldMoment[];
}

export class PlanForking implements Forking {
  readonly #made: Made;

  constructor(made: Made) {
    this.#made = made;
  }

  trace(): string {
    const { plan, ending } = this.#made;
    const { header, records } = planTrace({ plan, ending }, codeVersion, 'quorate debug');
    return `${[...encodeTrace(header, records)].join('\n')}\n`;
  }

  choices(step: number): readonly PendingItem[] {
    const { events } = this.#made;
    const next = events[step];
    const deed =
      next?.kind === 'fault' && next.fault !== 'calm' ? [leaveOutChoice(step + 1, next.title, next.server)] : [];
    return [...deed, ...faultChoices(...this.#situation(step))];
  }

  /** Who is there behind `step`, and whether links are cut. */
  #situation(step: number): readonly [victims: readonly Victim[], hasCuts: boolean] {
    const conditions = new Map<string, Victim['condition']>();
    let hasCuts = false;
    for (const event of this.#made.events.slice(0, step)) {
      if (event.kind === 'start') conditions.set(event.server, 'running');
      else if (event.kind === 'stop') conditions.set(event.server, 'down');
      else if (event.kind === 'fault') {
        if (event.server !== null && event.fault === 'pause') conditions.set(event.server, 'paused');
        if (event.server !== null && event.fault === 'resume') conditions.set(event.server, 'running');
        if (event.fault === 'calm')
          for (const [id, is] of conditions) if (is === 'paused') conditions.set(id, 'running');
        hasCuts = event.cut !== null || (hasCuts && event.fault !== 'heal' && event.fault !== 'calm');
      }
    }
    const victims = [...conditions].map(([id, condition]) => ({ id, condition }));
    return [victims.sort((a, b) => (a.id < b.id ? -1 : 1)), hasCuts];
  }

  fork(step: number, deed: Deed): Fork {
    const { plan, record, events } = this.#made;
    const { actions, from, title } = deed.kind === 'add' ? this.#with(step, deed) : this.#without(deed.step);
    const recording = record({ ...plan, actions });
    const forkAt = sharedEvents(events, recording.events);
    // The world's own steps are not broken into: the decision comes behind the one that was under way.
    if (forkAt < from) throw new Error(`The run went another way before that decision, at step ${forkAt + 1}.`);
    return { recording, forkAt, name: title };
  }

  #with(step: number, { name, actions: added }: Extract<Deed, { readonly kind: 'add' }>): Changed {
    const { plan, events, moments } = this.#made;
    const ended = events.findIndex((event) => event.kind === 'fault' && event.fault === 'calm');
    if (ended !== -1 && step > ended) {
      throw new Error('All faults have ended here: the world is to show that it heals. Choose an earlier moment.');
    }
    const moment = moments[step - 1];
    if (moment === undefined) throw new Error('Nothing has happened yet: take a step first.');
    const { at } = moment;
    const isBefore = (action: Action): boolean => action.at < at || (action.at === at && action.step <= moment.step);
    const before = plan.actions.filter(isBefore);
    const after = plan.actions.filter((action) => !isBefore(action));
    const ours = added.map((action) => ({ at, step: moment.step, ...action }));
    return { actions: [...before, ...ours, ...after], from: Math.min(step, this.#beginningOf(step)), title: name };
  }

  /** The first event of the world's step in which event `step` was: what comes before is certain to be the same. */
  #beginningOf(step: number): number {
    const { moments } = this.#made;
    const { step: of } = moments[step - 1] ?? { step: 0 };
    let from = step - 1;
    while (from > 0 && moments[from - 1]?.step === of) from -= 1;
    return from;
  }

  #without(step: number): Changed {
    const { plan, events, moments } = this.#made;
    const [event, moment] = [events[step - 1], moments[step - 1]];
    // Its place among all deeds of the same moment: they are told in the order in which they are done.
    const isSame = (each: { readonly at: number; readonly step: number } | undefined): boolean =>
      each?.at === moment?.at && each?.step === moment?.step;
    const told = events.filter((each, at) => at < step - 1 && each.kind === 'fault' && isSame(moments[at])).length;
    const same = plan.actions.filter((action) => isSame(action) && action.kind !== 'crash' && action.kind !== 'start');
    const left = event?.kind === 'fault' ? same[told] : undefined;
    if (left === undefined) throw new Error(`The adversary does nothing in step ${step} that could be left out.`);
    const title = event?.kind === 'fault' ? `without: ${withShortNames(event.title)}` : 'without';
    return { actions: plan.actions.filter((action) => action !== left), from: step - 1, title };
  }
}

interface Changed {
  readonly actions: readonly Action[];
  /** So many events cannot be touched by the change. */
  readonly from: number;
  readonly title: string;
}

function sharedEvents(a: readonly RecordedEvent[], b: readonly RecordedEvent[]): number {
  const most = Math.min(a.length, b.length);
  for (let at = 0; at < most; at++) if (!isSameEvent(a[at], b[at])) return at;
  return most;
}

/** As far as a run's own order can tell: what happened where and when. */
function isSameEvent(a: RecordedEvent | undefined, b: RecordedEvent | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a.at !== b.at || a.server !== b.server || a.kind !== b.kind) return false;
  if (a.kind === 'input' && b.kind === 'input') return a.input.kind === b.input.kind;
  return a.kind !== 'fault' || b.kind !== 'fault' || a.title === b.title;
}
