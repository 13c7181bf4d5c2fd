/**
 * Patterns of events in a run (after ShiViz): the well-known ones by name, and any that a person writes as words between arrows, each of which
 * must have led to the next.
 */
import type { SeenMessage, StepRecord } from './step-record.ts';

/** One place where the pattern is: its steps, ascending. */
export interface Occurrence {
  readonly steps: readonly number[];
  readonly text: string;
}

export interface Motif {
  readonly name: string;
  find(records: readonly StepRecord[]): readonly Occurrence[];
}

/** More cannot be looked through. */
const maxOccurrences = 500;

export const motifs: readonly Motif[] = [
  { name: 'a request with no reply', find: unanswered },
  { name: 'a message that was lost', find: (records) => each(records, ({ isLost }) => isLost) },
  { name: 'a message that overtook another', find: overtaking },
  { name: 'two votes of one term for different candidates', find: dividedVotes },
  { name: 'two leaders at once', find: twoLeaders },
  { name: 'a term that nobody won', find: unwonTerms },
  { name: 'entries that were cut', find: (records) => each(records, ({ changes }) => changes.truncatedTo !== null) },
  { name: 'a leader that stepped down', find: deposed },
  { name: 'an entry committed by a later leader than made it', find: committedLater },
];

/** Words, or words between arrows with room around them (`→`, `->` or `>`; the arrow of a link has none): `crash → leads → commit`. */
export function findPattern(records: readonly StepRecord[], pattern: string): readonly Occurrence[] {
  const parts = pattern
    .split(/\s(?:→|->|>)\s/)
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '');
  const [first] = parts;
  if (first === undefined) return [];
  return parts.length === 1 ? each(records, (record) => mentions(record, first)) : chains(records, parts);
}

function mentions({ title, message, sent, changes }: StepRecord, wanted: string): boolean {
  const news = [
    ...(changes.role === null ? [] : [changes.role === 'leader' ? 'leads' : changes.role]),
    ...(changes.commit === null ? [] : ['commit']),
    ...(changes.truncatedTo === null ? [] : ['cut']),
  ];
  return (
    title.toLowerCase().includes(wanted) ||
    news.some((word) => word.toLowerCase().includes(wanted)) ||
    [message, ...sent].some((seen) => seen !== null && `${seen.kind} ${seen.summary}`.toLowerCase().includes(wanted))
  );
}

interface Link {
  readonly step: number;
  readonly before: Link | null;
}

/**
 * Of each step, the latest beginnings of the pattern in its causal past, by how many parts they have: what led to a step has led to all
 * that it leads to. One walk finds all.
 */
function chains(records: readonly StepRecord[], parts: readonly string[]): readonly Occurrence[] {
  const reached: (readonly (Link | null)[])[] = [];
  const found: Occurrence[] = [];
  for (const record of records) {
    const own: (Link | null)[] = parts.map((_, part) => latest(record.causes, reached, part));
    const before = [...own];
    parts.forEach((wanted, part) => {
      const previous = part === 0 ? null : (before[part - 1] ?? null);
      if ((part > 0 && previous === null) || !mentions(record, wanted)) return;
      own[part] = { step: record.step, before: previous };
      if (part === parts.length - 1) found.push(occurrence(stepsOf(own[part] ?? null), records));
    });
    reached.push(own);
  }
  return found.slice(0, maxOccurrences);
}

function latest(causes: readonly number[], reached: readonly (readonly (Link | null)[])[], part: number): Link | null {
  let best: Link | null = null;
  for (const cause of causes) {
    const link = reached[cause - 1]?.[part] ?? null;
    if (link !== null && (best === null || link.step > best.step)) best = link;
  }
  return best;
}

function stepsOf(link: Link | null): readonly number[] {
  const steps: number[] = [];
  for (let at = link; at !== null; at = at.before) steps.unshift(at.step);
  return steps;
}

function occurrence(steps: readonly number[], records: readonly StepRecord[]): Occurrence {
  return { steps, text: steps.map((step) => records[step - 1]?.title ?? '').join(' → ') };
}

function each(records: readonly StepRecord[], test: (record: StepRecord) => boolean): readonly Occurrence[] {
  return records
    .filter(test)
    .slice(0, maxOccurrences)
    .map(({ step, title }) => ({ steps: [step], text: title }));
}

/** A request that was sent and whose reply has not come back by the end of the run, though others of its kind were answered or time has passed. */
function unanswered(records: readonly StepRecord[]): readonly Occurrence[] {
  const open = new Map<string, { readonly message: SeenMessage; readonly step: number }[]>();
  for (const { step, sent, message, isLost } of records) {
    // The oldest request of that kind is answered first: links keep no other record of which reply is whose.
    if (message !== null && !isLost && message.kind.endsWith('Reply')) {
      open.get(linkOf(message.to, message.from, message.kind.slice(0, -'Reply'.length)))?.shift();
    }
    for (const request of sent) {
      if (request.kind.endsWith('Reply')) continue;
      const link = linkOf(request.from, request.to, request.kind);
      open.set(link, [...(open.get(link) ?? []), { message: request, step }]);
    }
  }
  return [...open.values()]
    .flat()
    .sort((a, b) => a.step - b.step)
    .slice(0, maxOccurrences)
    .map(({ message, step }) => ({
      steps: [step],
      text: `${message.kind} ${message.from}→${message.to} has no reply: ${message.summary}`,
    }));
}

function linkOf(from: string, to: string, kind: string): string {
  return `${from}>${to} ${kind}`;
}

function overtaking(records: readonly StepRecord[]): readonly Occurrence[] {
  const sentIn = new Map<number, number>();
  const newest = new Map<string, { readonly sent: number; readonly arrived: number; readonly kind: string }>();
  const found: Occurrence[] = [];
  for (const { step, sent, message, isLost } of records) {
    for (const { id } of sent) sentIn.set(id, step);
    const left = message === null || isLost ? undefined : sentIn.get(message.id);
    if (message === null || left === undefined) continue;
    const link = `${message.from}>${message.to}`;
    const ahead = newest.get(link);
    if (ahead !== undefined && ahead.sent > left) {
      const text = `${message.kind} ${link.replace('>', '→')}, sent in step ${left}, comes behind ${ahead.kind}, sent in step ${ahead.sent}`;
      found.push({ steps: [left, ahead.sent, ahead.arrived, step], text });
    } else newest.set(link, { sent: left, arrived: step, kind: message.kind });
  }
  return found.slice(0, maxOccurrences);
}

function dividedVotes(records: readonly StepRecord[]): readonly Occurrence[] {
  const terms = new TermsOf();
  const votes = new Map<number, { readonly step: number; readonly server: string; readonly vote: string }>();
  const found: Occurrence[] = [];
  for (const record of records) {
    const term = terms.after(record);
    const { step, server, changes } = record;
    if (server === null || changes.vote === null) continue;
    const first = votes.get(term);
    if (first === undefined) votes.set(term, { step, server, vote: changes.vote });
    else if (first.vote !== changes.vote) {
      const text = `in term ${term} ${first.server} votes for ${first.vote}, ${server} for ${changes.vote}`;
      found.push({ steps: [first.step, step], text });
    }
  }
  return found.slice(0, maxOccurrences);
}

function twoLeaders(records: readonly StepRecord[]): readonly Occurrence[] {
  const leading = new Map<string, number>();
  const found: Occurrence[] = [];
  for (const { step, server, changes, kind } of records) {
    if (server === null) continue;
    if (kind === 'crash' || (changes.role !== null && changes.role !== 'leader')) leading.delete(server);
    if (changes.role !== 'leader') continue;
    for (const [other, since] of leading) {
      found.push({ steps: [since, step], text: `${other} leads since step ${since}, and ${server} is elected` });
    }
    leading.set(server, step);
  }
  return found.slice(0, maxOccurrences);
}

function unwonTerms(records: readonly StepRecord[]): readonly Occurrence[] {
  const terms = new TermsOf();
  const stood = new Map<number, number[]>();
  const won = new Set<number>();
  let highest = 0;
  for (const record of records) {
    const term = terms.after(record);
    highest = Math.max(highest, term);
    if (record.changes.role === 'candidate') stood.set(term, [...(stood.get(term) ?? []), record.step]);
    if (record.changes.role === 'leader') won.add(term);
  }
  return [...stood]
    .filter(([term]) => !won.has(term) && term < highest)
    .map(([term, steps]) => ({ steps, text: `nobody won term ${term}` }));
}

function deposed(records: readonly StepRecord[]): readonly Occurrence[] {
  const leading = new Map<string, number>();
  const found: Occurrence[] = [];
  for (const { step, server, changes, kind, title } of records) {
    if (server === null) continue;
    const since = leading.get(server);
    const isOver = changes.role !== null && changes.role !== 'leader';
    if (since !== undefined && isOver && kind !== 'crash') {
      found.push({ steps: [since, step], text: `${server}, leader since step ${since}, steps down: ${title}` });
    }
    if (kind === 'crash' || isOver) leading.delete(server);
    if (changes.role === 'leader') leading.set(server, step);
  }
  return found.slice(0, maxOccurrences);
}

function committedLater(records: readonly StepRecord[]): readonly Occurrence[] {
  const terms = new TermsOf();
  const made = new Map<number, { readonly step: number; readonly term: number }>();
  const found: Occurrence[] = [];
  const leaders = new Set<string>();
  let committed = 0;
  for (const record of records) {
    const term = terms.after(record);
    const { step, server, changes, appended } = record;
    if (server !== null && changes.role !== null) {
      if (changes.role === 'leader') leaders.add(server);
      else leaders.delete(server);
    }
    for (const run of appended) {
      for (let index = run.from; index <= run.to; index++) {
        if (made.get(index)?.term !== run.term) made.set(index, { step, term: run.term });
      }
    }
    if (changes.commit === null || changes.commit <= committed) continue;
    for (let index = committed + 1; index <= changes.commit; index++) {
      const entry = made.get(index);
      if (entry === undefined || entry.term === term || server === null || !leaders.has(server)) continue;
      found.push({
        steps: [entry.step, step],
        text: `entry ${index} of term ${entry.term} is committed in term ${term}`,
      });
    }
    committed = changes.commit;
  }
  return found.slice(0, maxOccurrences);
}

/** The term of each server, step by step. */
class TermsOf {
  readonly #terms = new Map<string, number>();

  after({ server, changes }: StepRecord): number {
    if (server === null) return 0;
    if (changes.term !== null) this.#terms.set(server, changes.term);
    return this.#terms.get(server) ?? 0;
  }
}
