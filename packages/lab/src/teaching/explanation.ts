/** Whether what a failing test says names the rule that the Raft breaks. */
import type { Rule } from './mistake.ts';

/**
 * Of a verdict, what begins its sentence, where that is the rule itself. Most verdicts name what came of it, as that two servers lead a term
 * or apply different commands: that follows from most mistakes, and names none.
 */
const verdicts: readonly (readonly [begins: string, rule: Rule])[] = [
  ['without a majority nothing is committed', 'a majority'],
  ['a leader that works is not disturbed', 'nobody is disturbed'],
  ['nothing that is applied is lost', 'snapshots lead forward'],
];

/** Words by which the guide (docs/lab), in what a failing test usually means, names a rule. */
export const namings: Readonly<Record<Rule, readonly string[]>> = {
  'one vote': ['a vote is given twice in a term', 'two votes in a term'],
  'the winner is followed': [
    'follow at AppendEntries of its own term',
    'although AppendEntries of its own term came',
    'ignores the winner of its own term',
  ],
  'higher terms are followed': [
    'must follow at the first higher term',
    "an answer's or a heartbeat's higher term is not taken over",
    'the higher term in a refusal is not taken over',
  ],
  'stale leaders are refused': ['AppendEntries of an earlier term is believed'],
  'the election clock': ['messages of an earlier term set back the election clock', 'too many things set back'],
  'nobody is disturbed': ['nobody who hears a leader should say yes', 'let nobody say yes who hears a leader'],
  'answers of their own time': [
    'without a look at the term in which it was asked for',
    'counts only in the term in which it was asked for',
    'votes for one candidacy counted in another',
    'an answer of an earlier term spoke of entries that are gone',
  ],
  'a majority': [
    'a majority is counted wrong',
    'copies are counted wrong',
    'copies counted wrongly',
    'nextIndex is counted instead of matchIndex',
    'applied before they are committed',
  ],
  'own-term commit': [
    'entries of earlier terms are committed by counting',
    'entries of earlier terms committed by counting',
  ],
  'the better log': [
    'votes that do not compare logs',
    'the last term decides first',
    'votes go to the longer log instead of the later last term',
    'a vote for a log that is behind',
  ],
  'the consistency check': ['the term of the entry before is not compared'],
  'conflicts are cut': [
    'entries that are there already, and what follows them, stay',
    "a conflict must cut the follower's log",
    'its entries are not cut off at the conflict',
  ],
  'commit what matches': [
    "a heartbeat's commit index is believed although the entries before it differ",
    'the commit index of a message is believed whose entries were not found to match',
  ],
  'a refusal leads back': ['a refused AppendEntries must lower nextIndex', 'nextIndex is not taken back on a refusal'],
  'begun anew': [
    'nextIndex and matchIndex are begun anew at each win',
    'nextIndex and matchIndex of the first time are still there',
  ],
  'saved first': [
    'term and vote are not saved',
    'entries are not saved before they are acknowledged',
    'something is not saved',
    'a term learned from others, or the vote, is not saved',
    'acknowledged before it was saved',
  ],
  'snapshots lead forward': [
    'a snapshot that ends before what is applied must be ignored',
    'an old InstallSnapshot, or one that came twice, took the service back',
  ],
  'snapshots stay saved': [
    'the snapshot is not handed over with every later save',
    'the snapshot is not saved with the state',
    'lastApplied begins at 0',
    'the first save behind a restart lost the snapshot',
  ],
};

export interface Explanation {
  /** The verdict's own sentence names the rule. */
  readonly isInVerdict: boolean;
  /** What the guide says of the test names it. */
  readonly isInGuide: boolean;
  /** How many rules the guide names there: one points, several leave a choice. */
  readonly rulesInGuide: number;
}

export function explanationOf(rule: Rule, message: string, row: string): Explanation {
  const named = rulesIn(row);
  return {
    isInVerdict: verdicts.some(([begins, meant]) => meant === rule && message.startsWith(begins)),
    isInGuide: named.includes(rule),
    rulesInGuide: named.length,
  };
}

function rulesIn(row: string): readonly Rule[] {
  return (Object.keys(namings) as Rule[]).filter((rule) => namings[rule].some((words) => row.includes(words)));
}

/** Of pages of the guide: each test, and what it usually means when it fails. */
export function rowsOf(pages: readonly string[]): ReadonlyMap<string, string> {
  const rows = pages.flatMap((page) => [...page.matchAll(/^\| ([A-Z][\w, ]+) \| [^|]+ \| ([^|]+) \|$/gm)]);
  return new Map(rows.flatMap(([, names = '', means = '']) => names.split(', ').map((name) => [name, means] as const)));
}
