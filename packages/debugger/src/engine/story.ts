/** Where an entry came from and who holds it, told from the records of a branch. */
import type { StepRecord } from './step-record.ts';
import type { EntryStory } from './views.ts';

interface At {
  readonly server: string;
  readonly step: number;
}

/** Of the entry at `index` in `term`, as far as `records` go. Null if none of them made it. */
export function storyOf(records: readonly StepRecord[], index: number, term: number): EntryStory | null {
  const holders = new Set<string>();
  const durableAt: At[] = [];
  const acknowledgedAt: At[] = [];
  let created: At | null = null;
  let committedAt: number | null = null;
  for (const record of records) {
    const { server, step, changes, acknowledged, message } = record;
    if (server === null) continue;
    if (changes.truncatedTo !== null && changes.truncatedTo < index) holders.delete(server);
    const here = record.appended.find(({ from, to }) => from <= index && index <= to);
    if (here?.term === term) {
      holders.add(server);
      created ??= { server, step };
    } else if (here !== undefined) holders.delete(server);
    if (!holders.has(server)) continue;
    if ((changes.durable ?? 0) >= index && !names(durableAt, server)) durableAt.push({ server, step });
    const isFirst = message !== null && (acknowledged ?? 0) >= index && !names(acknowledgedAt, message.from);
    if (isFirst && holders.has(message.from)) acknowledgedAt.push({ server: message.from, step });
    if ((changes.commit ?? 0) >= index) committedAt ??= step;
  }
  if (created === null) return null;
  return { index, term, createdBy: created.server, createdAt: created.step, durableAt, acknowledgedAt, committedAt };
}

function names(list: readonly At[], server: string): boolean {
  return list.some((each) => each.server === server);
}
