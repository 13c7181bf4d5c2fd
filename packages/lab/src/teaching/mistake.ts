/** A Raft with one mistake: the right one in handlers, with one change in its text. */

/** What Raft asks for, and students forget. */
export const rules = {
  'one vote': 'a server votes for one candidate in a term (§5.2)',
  'the winner is followed': 'a candidate follows whoever leads its term (§5.2)',
  'higher terms are followed': 'whoever sees a higher term takes it over and follows (§5.1)',
  'stale leaders are refused': 'AppendEntries of an earlier term is refused (Figure 2, AppendEntries 1)',
  'the election clock': 'only the present leader, and a vote that is given, set it back (§5.2)',
  'nobody is disturbed': 'who hears a leader helps nobody else to lead (dissertation §9.6)',
  'answers of their own time': 'an answer counts in the term in which it was asked for',
  'a majority': 'a majority of all servers holds what is committed (§5.3)',
  'own-term commit': 'only entries of the own term are committed by counting (§5.4.2)',
  'the better log': 'votes go by the last term, then by the length (§5.4.1)',
  'the consistency check': 'entries are taken where index and term of the one before agree (Figure 2, AppendEntries 2)',
  'conflicts are cut': 'a conflict goes with all behind it, and nothing else does (Figure 2, AppendEntries 3)',
  'commit what matches':
    'a follower commits no further than the message has shown to match (Figure 2, AppendEntries 5)',
  'a refusal leads back': 'behind a refusal nextIndex is lowered, until the logs agree (§5.3)',
  'begun anew': 'nextIndex and matchIndex are begun anew at each win (Figure 2)',
  'saved first': 'term, vote and log are saved before anything is answered (Figure 2)',
  'snapshots lead forward': 'a snapshot that ends before what is applied is ignored (§7)',
  'snapshots stay saved': 'a snapshot outlives a crash, with the log behind it (§7)',
} as const;

export type Rule = keyof typeof rules;

export interface Mistake {
  /** Also its file's. */
  readonly name: string;
  /** What it does, in words. */
  readonly does: string;
  readonly rule: Rule;
  /** That of implementations/wrong with the same mistake, where there is one. */
  readonly wrong?: string;
  /** Stands in handlers.mjs once. */
  readonly from: string;
  readonly to: string;
  /** What has to change elsewhere for it. */
  readonly also?: Change;
}

type Change = Pick<Mistake, 'from' | 'to'>;

/** @throws Error if the text to change does not stand there once: the mistake has to follow what handlers.mjs has become. */
export function mistaken(right: string, mistake: Pick<Mistake, 'name' | 'from' | 'to' | 'also'>): string {
  const first = changed(right, mistake.name, mistake);
  return mistake.also === undefined ? first : changed(first, mistake.name, mistake.also);
}

function changed(text: string, name: string, { from, to }: Change): string {
  const times = text.split(from).length - 1;
  if (times !== 1)
    throw new Error(
      `The mistake ${name} does not apply: its text stands in handlers.mjs ${times} times, not once:\n${from}`,
    );
  return text.replace(from, () => to);
}
