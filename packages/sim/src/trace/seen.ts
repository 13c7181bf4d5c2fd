/**
 * Runs that are seen from outside: of a Raft in the lab, which may be anybody's, it is known what its servers called and answered, applied and
 * saved, and what they said of themselves. Such a trace can be looked at; nothing follows from it.
 */
import { asPlain, lackIn, type WantedFields } from './shape.ts';
import { TraceError, traceHeader, type TraceHeader, type TraceRecord } from './trace.ts';

/** `text`: plain data in words, cut short. A call is named by a number of its own, from 1. */
export type SeenEvent =
  | { readonly kind: 'start' | 'crash' }
  /** Links, as `from>to`, over which nothing passes from here on; all others carry. */
  | { readonly kind: 'links'; readonly cut: readonly string[]; readonly text: string }
  /** The server calls a method of another. `term` is what the arguments say, 0 if nothing. */
  | {
      readonly kind: 'call';
      readonly call: number;
      readonly to: string;
      readonly method: string;
      readonly term: number;
      readonly text: string;
    }
  /** The call has arrived here; here it is answered. */
  | { readonly kind: 'called'; readonly call: number }
  | { readonly kind: 'answer'; readonly call: number; readonly term: number; readonly text: string }
  /** What came of a call that was made here. */
  | { readonly kind: 'answered' | 'unanswered'; readonly call: number }
  /** These calls, or the answers to them, will never arrive, and nobody is told. */
  | { readonly kind: 'lost'; readonly calls: readonly number[]; readonly text: string }
  | { readonly kind: 'timer'; readonly name: string }
  /** What the server says of itself has changed. */
  | { readonly kind: 'state'; readonly term: number; readonly isLeader: boolean }
  /** It is handed a command; the place that it names means something only where it leads. */
  | {
      readonly kind: 'propose';
      readonly text: string;
      readonly index: number;
      readonly term: number;
      readonly isLeader: boolean;
    }
  | { readonly kind: 'apply'; readonly index: number; readonly text: string }
  /** Its service takes over a snapshot's state. */
  | { readonly kind: 'restore'; readonly index: number }
  | { readonly kind: 'save'; readonly bytes: number; readonly snapshotBytes: number }
  /** A client of a service asks, and is told. */
  | { readonly kind: 'ask'; readonly operation: number; readonly client: number; readonly text: string }
  | { readonly kind: 'told'; readonly operation: number; readonly text: string }
  /** What the test goes on to. */
  | { readonly kind: 'step'; readonly text: string };

export interface SeenRecord {
  readonly kind: 'seen';
  /** Microseconds. */
  readonly at: number;
  /** Null for what concerns none, or all. */
  readonly server: string | null;
  readonly event: SeenEvent;
}

/** What a search has found, at the end of the way there. */
export interface SeenFinding {
  /** What must hold. */
  readonly rule: string;
  /** What was so first; and what contradicts it. */
  readonly first: string;
  readonly second: string;
}

export interface SeenRun {
  readonly title: string;
  readonly servers: readonly string[];
  /** What was expected of it and did not come; null if all did. */
  readonly failure: string | null;
  /** Null where all that is known of the failure is what it says. */
  readonly finding: SeenFinding | null;
  /** What is to be known of it by whoever looks at it; null for nothing. */
  readonly remark: string | null;
  /** Events before the first that were not kept. */
  readonly left: number;
  readonly events: readonly SeenRecord[];
}

export function seenTrace(
  { title, servers, failure, finding, remark, left, events }: SeenRun,
  codeVersion: string,
  createdBy: string,
): { readonly header: TraceHeader; readonly records: readonly SeenRecord[] } {
  const configuration = asPlain({ world: 'seen', title, servers, failure, finding, remark, left });
  return { header: traceHeader(configuration, codeVersion, createdBy), records: events };
}

/** Throws TraceError for what is no such run. */
export function readSeenRun(header: TraceHeader, records: Iterable<TraceRecord>): SeenRun {
  const { world, title, servers, failure, finding = null, remark = null, left } = header.configuration;
  const isRun =
    world === 'seen' &&
    typeof title === 'string' &&
    Array.isArray(servers) &&
    servers.every((name) => typeof name === 'string') &&
    isTextOrNull(failure) &&
    isTextOrNull(remark) &&
    (finding === null || isFinding(finding)) &&
    typeof left === 'number';
  if (!isRun) throw new TraceError('NotReplayable', 'This trace is no run that was seen from outside.', 1);
  const events: SeenRecord[] = [];
  for (const record of records) events.push(checked(record));
  return { title, servers, failure, finding, remark, left, events };
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isFinding(value: unknown): value is SeenFinding {
  if (typeof value !== 'object' || value === null) return false;
  return lackIn(value, { rule: 'string', first: 'string', second: 'string' }) === null;
}

function checked(record: TraceRecord): SeenRecord {
  if (record.kind !== 'seen') {
    throw new TraceError('NotReplayable', 'This trace mixes what was seen from outside with what a core was handed.');
  }
  const { event } = record;
  const wanted: WantedFields | undefined = fields[event.kind];
  if (wanted === undefined) throw new TraceError('NotReplayable', `This build knows no event '${event.kind}'.`);
  const lack = lackIn(event, wanted);
  if (lack !== null) throw new TraceError('NotReplayable', `The event '${event.kind}' at ${record.at} ${lack}.`);
  return record;
}

const ofCall = { call: 'number' };
const fields: Readonly<Record<SeenEvent['kind'], WantedFields>> = {
  start: {},
  crash: {},
  links: { cut: 'object', text: 'string' },
  call: { ...ofCall, to: 'string', method: 'string', term: 'number', text: 'string' },
  called: ofCall,
  answer: { ...ofCall, term: 'number', text: 'string' },
  answered: ofCall,
  unanswered: ofCall,
  lost: { calls: 'object', text: 'string' },
  timer: { name: 'string' },
  state: { term: 'number', isLeader: 'boolean' },
  propose: { text: 'string', index: 'number', term: 'number', isLeader: 'boolean' },
  apply: { index: 'number', text: 'string' },
  restore: { index: 'number' },
  save: { bytes: 'number', snapshotBytes: 'number' },
  ask: { operation: 'number', client: 'number', text: 'string' },
  told: { operation: 'number', text: 'string' },
  step: { text: 'string' },
};
