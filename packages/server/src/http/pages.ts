/** The pages of the HTTP/1 side, as a table of routes over a small view of the server. */
import { type DebugTopic, debugTopics } from '@quorate/runtime';
import { type PoolHog, poolHogs } from '../faults/pool-hog.ts';
import { flightAnswer, type FlightRecording } from './flight-page.ts';
import { etcdVersion, quorateVersion } from '../version.ts';
import type { HttpAnswer, HttpHandler, HttpRequest, HttpRoutes } from './http-server.ts';

/** What the pages need to know, and may do. */
export interface ServerView {
  /** Null when healthy, otherwise the reason in one phrase. A serializable check asks this server alone. */
  health(serializable: boolean): Promise<string | null>;
  /** The answer of /debug/raft: plain data. */
  raft(): unknown;
  /** The answer of /debug/explain: plain data. */
  explain(): unknown;
  /** Its flight recording; null where it keeps none. */
  readonly flight: FlightRecording | null;
  debugTopics(): readonly DebugTopic[];
  setDebugTopics(topics: readonly DebugTopic[]): void;
  /** Null unless fault injection is enabled. */
  readonly faults: Faults | null;
}

/** Ways to hurt the server on purpose. */
export interface Faults {
  /** Blocks the event loop for `ms` milliseconds. */
  sleep(ms: number): void;
  /** Cuts traffic with these members (names or ids), both ways, and heals all others. Returns names that are not known. */
  partition(members: readonly string[]): readonly string[];
  /** Delays every disk operation, every message to another server, or both, by `ms` milliseconds; 0 heals. */
  slow(ms: number, what: SlowPart): void;
  /** Keeps every thread of libuv's pool busy for `ms` milliseconds. */
  hogPool(how: PoolHog, ms: number): void;
}

export const slowParts = ['disk', 'network', 'both'] as const;
export type SlowPart = (typeof slowParts)[number];

/** A sleep's limit, so that a slip of the finger does not cost a server. Milliseconds. */
const longestSleepMs = 60_000;
const longestDelayMs = 10_000;

export function createPages(view: ServerView): HttpRoutes {
  return new Map([
    ['/health', { GET: async (request: HttpRequest) => health(view, request) }],
    [
      '/version',
      { GET: (): HttpAnswer => ok({ etcdserver: etcdVersion, etcdcluster: etcdVersion, quorate: quorateVersion }) },
    ],
    ['/debug/raft', { GET: (): HttpAnswer => ok(view.raft()) }],
    ['/debug/explain', { GET: (): HttpAnswer => ok(view.explain()) }],
    ['/debug/flight', { GET: loopback((request) => flightAnswer(view.flight, request)) }],
    [
      '/debug/topics',
      {
        GET: (): HttpAnswer => ok({ topics: view.debugTopics() }),
        PUT: loopback((request) => setTopics(view, request)),
      },
    ],
    ['/debug/sleep', { POST: fault(view, sleep) }],
    ['/debug/partition', { POST: fault(view, partition) }],
    ['/debug/slow', { POST: fault(view, slow) }],
    ['/debug/pool', { POST: fault(view, pool) }],
  ]);
}

async function health(view: ServerView, request: HttpRequest): Promise<HttpAnswer> {
  const reason = await view.health(request.query.get('serializable') === 'true');
  // Texts, not booleans: etcd's own form.
  return reason === null ? ok({ health: 'true', reason: '' }) : { status: 503, body: { health: 'false', reason } };
}

/** Topics come as ?topics=votes,reads or as the body. */
function setTopics(view: ServerView, request: HttpRequest): HttpAnswer {
  const wanted = words(request.query.get('topics') ?? request.body);
  const unknown = wanted.find((word) => !debugTopics.some((topic) => topic === word));
  if (unknown !== undefined) return bad(`"${unknown}" is not a topic; there are ${debugTopics.join(', ')}`);
  view.setDebugTopics(debugTopics.filter((topic) => wanted.includes(topic)));
  return ok({ topics: view.debugTopics() });
}

function sleep(faults: Faults, request: HttpRequest): HttpAnswer {
  const ms = milliseconds(request, longestSleepMs);
  if (ms === null) return bad(`ms must be a whole number from 0 to ${longestSleepMs}`);
  // After the answer has left.
  setImmediate(() => faults.sleep(ms));
  return ok({ sleeping: ms });
}

/** Members come as ?from=s2,s3; none heals. */
function partition(faults: Faults, request: HttpRequest): HttpAnswer {
  const from = words(request.query.get('from') ?? request.body);
  const [unknown] = faults.partition(from);
  return unknown === undefined ? ok({ from }) : bad(`"${unknown}" is not the name or id of another member`);
}

/** ?what=disk or ?what=network slows that alone, and leaves the other as it is. */
function slow(faults: Faults, request: HttpRequest): HttpAnswer {
  const ms = milliseconds(request, longestDelayMs);
  if (ms === null) return bad(`ms must be a whole number from 0 to ${longestDelayMs}`);
  const wanted = request.query.get('what') ?? 'both';
  const what = slowParts.find((part) => part === wanted);
  if (what === undefined) return bad(`what must be one of ${slowParts.join(', ')}`);
  faults.slow(ms, what);
  return ok({ delay: ms, what });
}

/** ?by=hashing burns CPU as well, ?by=waiting does not. */
function pool(faults: Faults, request: HttpRequest): HttpAnswer {
  const ms = milliseconds(request, longestSleepMs);
  if (ms === null) return bad(`ms must be a whole number from 0 to ${longestSleepMs}`);
  const by = poolHogs.find((hog) => hog === request.query.get('by'));
  if (by === undefined) return bad(`by must be one of ${poolHogs.join(', ')}`);
  faults.hogPool(by, ms);
  return ok({ busy: ms, by });
}

function fault(view: ServerView, act: (faults: Faults, request: HttpRequest) => HttpAnswer): HttpHandler {
  return loopback((request) => {
    if (view.faults !== null) return act(view.faults, request);
    return { status: 403, body: { error: 'Faults are off; start the server with --enable-fault-injection' } };
  });
}

/** What changes the server, or tells what clients wrote, is open to its own machine only. */
function loopback(handler: HttpHandler): HttpHandler {
  return (request) => {
    if (/^(?:::ffff:)?127\.|^::1$/.test(request.remoteAddress)) return handler(request);
    return { status: 403, body: { error: 'This page is open to the server’s own machine only' } };
  };
}

function milliseconds(request: HttpRequest, most: number): number | null {
  const text = request.query.get('ms') ?? request.body.trim();
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value <= most ? value : null;
}

function words(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function ok(body: unknown): HttpAnswer {
  return { status: 200, body };
}

function bad(error: string): HttpAnswer {
  return { status: 400, body: { error } };
}
