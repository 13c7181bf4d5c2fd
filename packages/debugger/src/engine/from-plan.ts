/** A run of whole nodes (packages/sim), made again and projected onto what entered each core. */
import { Raft } from '@quorate/raft';
import {
  type ActionKind,
  blindWatcher,
  type DecodedTrace,
  endingOf,
  endsAlike,
  type Plan,
  readPlan,
  runPlan,
  runSeed,
  type SeedResult,
  standardWatchers,
  type WorldWatcher,
} from '@quorate/sim';
import { actionWords } from './node-faults.ts';
import { PlanForking, type WorldMoment } from './plan-forking.ts';
import { planHistory } from './plan-history.ts';
import { maxEvents, type RecordedEvent, type Recording } from './recording.ts';

type Growing<Event> = Event extends { readonly takes: number } ? Omit<Event, 'takes'> & { takes: number } : Event;
type Grown = Growing<RecordedEvent>;

type WorldTime = Parameters<Parameters<typeof runPlan>[1]>[2];

/** Sees what the judges see, and before they do: the step that breaks something is kept as well. */
class Collector {
  readonly events: Grown[] = [];
  /** Of each event. */
  readonly moments: WorldMoment[] = [];
  isFull = false;
  readonly #last = new Map<string, Grown>();
  readonly #seen = new Set<string>();
  #clock: WorldTime | null = null;
  /** How the server that is about to go is done away with. */
  #ending = 'crashes';

  readonly watcher: WorldWatcher = {
    ...blindWatcher,
    onStart: (server, { options, recovered }) => {
      this.#seen.add(server);
      const begin = (): Raft => new Raft(options, recovered);
      this.#push(server, { kind: 'start', at: this.#now, server, options, begin, takes: 0 });
    },
    onInput: (server, input) => {
      this.#push(server, { kind: 'input', at: this.#now, server, input, takes: 0 });
    },
    onOutput: (server) => {
      const last = this.#last.get(server);
      if (last !== undefined && 'takes' in last) last.takes += 1;
    },
    onCrash: (server) => {
      this.#push(server, { kind: 'stop', at: this.#now, server, reason: this.#ending, isOwn: false });
      this.#ending = 'crashes';
    },
    onFatal: (server, _code, message) => {
      this.#push(server, { kind: 'stop', at: this.#now, server, reason: `stops: ${message}`, isOwn: true });
    },
    onAction: (action) => this.#onAction(action),
    onFaultsEnd: () => {
      const title = 'all faults end: what was cut, full or standing still is well again';
      this.#push(null, { kind: 'fault', at: this.#now, server: null, fault: 'calm', title, cut: null });
    },
  };

  /** The world begins. */
  watch(clock: WorldTime): WorldWatcher {
    this.#clock = clock;
    return this.watcher;
  }

  get servers(): readonly string[] {
    return [...this.#seen].sort();
  }

  get #now(): number {
    return this.#clock?.now ?? 0;
  }

  #onAction(action: ActionKind): void {
    // A server that goes or comes tells so itself.
    if (action.kind === 'crash') this.#ending = action.how === 'power' ? 'loses its power' : 'is killed';
    if (action.kind === 'crash' || action.kind === 'start') return;
    const server = 'server' in action ? action.server : null;
    const cut = action.kind === 'cut' ? { from: action.from, to: action.to } : null;
    const title = actionWords(action);
    this.#push(null, { kind: 'fault', at: this.#now, server, fault: action.kind, title, cut });
  }

  #push(server: string | null, event: Grown): void {
    if (server !== null) this.#last.set(server, event);
    if (this.events.length >= maxEvents) {
      this.isFull = true;
      return;
    }
    this.events.push(event);
    this.moments.push({ at: this.#now, step: this.#clock?.steps ?? 0 });
  }
}

/** Throws TraceError for what is no run of this build. */
export function recordPlan({ header, records }: DecodedTrace, name: string): Recording {
  const { plan, ending } = readPlan(header, records);
  const { recording, result } = recordRun(plan, name);
  const found = endingOf(result);
  if (endsAlike(found, ending)) return recording;
  const parted = `This build goes another way: ${ending.invariant || 'nothing'} broke when the trace was made, ${found.invariant || 'nothing'} breaks now.`;
  return { ...recording, remark: parted };
}

/** The run that the simulator makes of a seed. */
export function recordSeed(wanted: {
  readonly seed: number;
  readonly servers: number;
  readonly seconds: number;
}): Recording {
  const { seed, servers, seconds } = wanted;
  const { options, actions } = runSeed(seed, { servers, faultSeconds: seconds }, standardWatchers);
  return recordRun({ seed, options, actions }, 'quorate sim').recording;
}

/** Makes the run, and writes down what enters its cores. */
function recordRun(plan: Plan, name: string): { readonly recording: Recording; readonly result: SeedResult } {
  const collector = new Collector();
  const result = runPlan(plan, (options, servers, clock) => [
    collector.watch(clock),
    ...standardWatchers(options, servers, clock),
  ]);
  const { events, moments, isFull, servers } = collector;
  const ending = endingOf(result);
  const { invariant, facts } = ending;
  const [first = '', second = ''] = facts;
  const isBroken = invariant !== '' && !isFull;
  const recording: Recording = {
    source: 'nodes',
    title: `${name}: ${plan.options.servers} servers, seed ${plan.seed}`,
    servers,
    events,
    unjudged: null,
    violation: isBroken ? { invariant, first, second } : null,
    history: planHistory(result),
    forking: new PlanForking({ plan, ending, record: (other) => recordRun(other, name).recording, events, moments }),
    remark: isFull
      ? `The run is longer than ${maxEvents} steps: this is its beginning${invariant === '' ? '' : `; ${invariant} breaks behind it`}.`
      : null,
  };
  return { recording, result };
}
