/** What a server says of itself at /debug/raft, as far as the page shows it; and what of it changes from look to look. */
import { isPlainObject } from '../../engine/read-setup.ts';

export interface LiveStatus {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly uptimeMs: number;
  readonly role: 'follower' | 'preCandidate' | 'candidate' | 'leader';
  readonly term: number;
  readonly leaderName: string | null;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  readonly durableIndex: number;
  readonly pendingProposals: number;
  readonly pendingReads: number;
  readonly followers: readonly LiveFollower[];
  readonly configuration: {
    readonly voters: readonly string[];
    readonly outgoing: readonly string[];
    readonly learners: readonly string[];
    readonly members: readonly { readonly id: string; readonly name: string | null }[];
  };
}

export interface LiveFollower {
  readonly id: string;
  readonly name: string | null;
  readonly state: string;
  readonly matchIndex: number;
  readonly inflightMessages: number;
  readonly lastContactMs: number | null;
}

/** Null for what is no such answer. */
export function readStatus(data: unknown): LiveStatus | null {
  if (!isPlainObject(data)) return null;
  const { id, term, commitIndex, followers, configuration } = data;
  const isStatus =
    typeof id === 'string' &&
    typeof term === 'number' &&
    typeof commitIndex === 'number' &&
    Array.isArray(followers) &&
    isPlainObject(configuration);
  return isStatus ? (data as unknown as LiveStatus) : null;
}

/** One look. Milliseconds of the page's clock. */
export interface Look {
  readonly at: number;
  readonly status: LiveStatus;
}

export interface Pace {
  /** Entries committed a second, over the looks that are kept. */
  readonly perSecond: number;
  /** For the curve: the same between two looks each, oldest first. */
  readonly curve: readonly number[];
  /** The last time that writes waited and nothing was committed: how long, and how long ago it ended; null for none seen. */
  readonly pause: { readonly ms: number; readonly agoMs: number } | null;
}

/** Shorter ones are the rhythm of looking. Milliseconds. */
const shortestPause = 400;

export function paceOf(looks: readonly Look[]): Pace {
  const first = looks[0];
  const last = looks[looks.length - 1];
  if (first === undefined || last === undefined) return { perSecond: 0, curve: [], pause: null };
  const curve = looks.slice(1).map((look, at) => rate(looks[at] ?? look, look));
  return { perSecond: rate(first, last), curve, pause: lastPause(looks) };
}

function rate(from: Look, to: Look): number {
  const seconds = (to.at - from.at) / 1000;
  return seconds <= 0 ? 0 : Math.max(0, to.status.commitIndex - from.status.commitIndex) / seconds;
}

function lastPause(looks: readonly Look[]): Pace['pause'] {
  const end = looks[looks.length - 1]?.at ?? 0;
  let found: Pace['pause'] = null;
  let since: number | null = null;
  looks.forEach((look, at) => {
    const before = looks[at - 1];
    const moved = before === undefined || look.status.commitIndex > before.status.commitIndex;
    const waits = look.status.pendingProposals > 0 || look.status.leaderName === null;
    if (!moved && waits) since ??= before?.at ?? look.at;
    else if (since !== null) {
      const ms = look.at - since;
      if (ms >= shortestPause) found = { ms, agoMs: end - look.at };
      since = null;
    }
  });
  return found;
}
