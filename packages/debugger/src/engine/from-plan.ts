/** A run of whole nodes (packages/sim), made again and projected onto what entered each core. */
import { Raft } from '@quorate/raft';
import {
  blindWatcher,
  type DecodedTrace,
  endingOf,
  endsAlike,
  readPlan,
  runPlan,
  standardWatchers,
  type WorldWatcher,
} from '@quorate/sim';
import { CommonTime, maxEvents, type RecordedEvent, type Recording } from './recording.ts';

type Growing<Event> = Event extends { readonly takes: number } ? Omit<Event, 'takes'> & { takes: number } : Event;
type Grown = Growing<RecordedEvent>;

/** Sees what the judges see, and before they do: the step that breaks something is kept as well. */
class Collector {
  readonly events: Grown[] = [];
  isFull = false;
  readonly #time = new CommonTime();
  readonly #last = new Map<string, Grown>();
  readonly #seen = new Set<string>();

  readonly watcher: WorldWatcher = {
    ...blindWatcher,
    onStart: (server, { options, recovered }) => {
      const at = this.#time.restart(server);
      this.#seen.add(server);
      this.#push({ kind: 'start', at, server, options, begin: () => new Raft(options, recovered), takes: 0 });
    },
    onInput: (server, input) => {
      this.#push({ kind: 'input', at: this.#time.of(server, input.now), server, input, takes: 0 });
    },
    onOutput: (server) => {
      const last = this.#last.get(server);
      if (last !== undefined && 'takes' in last) last.takes += 1;
    },
    onCrash: (server) => this.#stop(server, 'crashes'),
    onFatal: (server, _code, message) => this.#stop(server, `stops: ${message}`),
  };

  get servers(): readonly string[] {
    return [...this.#seen].sort();
  }

  #stop(server: string, reason: string): void {
    this.#push({ kind: 'stop', at: this.events[this.events.length - 1]?.at ?? 0, server, reason });
  }

  #push(event: Grown): void {
    this.#last.set(event.server, event);
    if (this.events.length >= maxEvents) this.isFull = true;
    else this.events.push(event);
  }
}

/** Throws TraceError for what is no run of this build. */
export function recordPlan({ header, records }: DecodedTrace, name: string): Recording {
  const { plan, ending } = readPlan(header, records);
  const collector = new Collector();
  const result = runPlan(plan, (...world) => [collector.watcher, ...standardWatchers(...world)]);
  const found = endingOf(result);
  const [first = '', second = ''] = found.facts;
  return {
    title: `${name}: ${plan.options.servers} servers, seed ${plan.seed}`,
    servers: collector.servers,
    events: collector.events,
    isJudged: true,
    violation: found.invariant === '' ? null : { invariant: found.invariant, first, second },
    remark: remarkOf(endsAlike(found, ending), collector.isFull, ending.invariant, found.invariant),
  };
}

function remarkOf(isSame: boolean, isFull: boolean, wanted: string, found: string): string | null {
  if (!isSame) {
    return `This build goes another way: ${wanted || 'nothing'} broke when the trace was made, ${found || 'nothing'} breaks now.`;
  }
  return isFull ? `The run is longer than ${maxEvents} steps: this is its beginning.` : null;
}
