/** The invariants of docs/invariants.md that a core world is judged by, each in a sentence. A test holds the two together. */

export interface InvariantLine {
  readonly id: string;
  readonly group: string;
  readonly sentence: string;
}

const groups: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Terms, votes, leaders': {
    A1: "a server's term never falls, and no restart forgets one that it had written or sent",
    A2: "no message is of a term that its sender has not reached. A PreVote bears the asker's own term here, so there is no exception",
    A3: 'one vote for each (member, incarnation, term), for ever',
    A4: 'a vote goes only to a candidate whose log was up to date when it asked',
    A5: 'a leader voted for itself',
    A6: 'a term has one leader, ever',
    A7: 'a leader was sent the votes of a quorum of its configuration (of each half, while joint), its own being durable',
    A8: 'a term that is won has no entries yet',
    A9: 'follower → pre-candidate, candidate; candidate → leader in a step of its own; a leader leaves office within its term only for want of answers, of a disk that moves, or of entries that it cannot repair',
    A10: 'whom a server takes for the leader of its term is that',
    A11: 'entries, heartbeats and snapshots come from the leader of their term',
    A12: 'votes that are counted were sent',
    A13: 'a PreVote changes neither term, vote, leader nor log, nor the role but of one that asks as well and gives way',
  },
  Logs: {
    B1: "indexes follow each other, terms never fall along a log nor exceed the server's own",
    B2: 'a leader cuts nothing of its own log (once its term has begun: before, one that settles damaged entries may cut what a majority never had)',
    B3: 'equal index and term mean equal logs up to there (a chained fingerprint)',
    B4: 'an entry was first shown by the leader of its term, behind the last one of that term',
    B5: 'a log is cut only where an entry of another term arrives for a place behind the commit index, from there on; or by a snapshot',
    B6: 'what is acknowledged is on the disk once the message may leave, and is what the leader has; no damaged entry that the server does not know to be committed is acknowledged',
    B7: "AppendEntries are a slice of the leader's log",
    B8: 'match never falls, never exceeds what the follower acknowledged in this term, and match < next ≤ last + 1',
    B9: 'a refusal changes no match and moves no next forward; its hint leads back',
  },
  'Commit and apply': {
    C1: 'snapshot ≤ commit, applied ≤ commit ≤ last. (While a snapshot is being restored, applied is behind it)',
    C2: 'commit and applied index never fall within a run',
    C3: "a leader commits by counting only at an entry of its own term, that a quorum of bound incarnations has acknowledged; itself it counts when its disk has it (D1')",
    C4: "what is committed is whole on the disks of a quorum, or covered by their snapshots, or was so when they acknowledged it. The leader's own may be missing (dissertation §10.2.1)",
    C5: 'what a server commits is what leaders committed',
    "C5'": 'entries that reach a server in its term or later agree with what it knows to be committed',
    C6: 'a new leader has all that was committed in terms before its own; so has every live leader of a later term when something is committed, and one that settles damaged entries when it has cut',
    "C6'": "it has all that a quorum acknowledged in the entry's own term, whether or not anyone knows yet",
    C7: 'commands are applied in order, once each, none left out, as committed',
    C8: 'state machines are equal behind the same entry',
    C9: 'a leader has committed all that it may: at every heartbeat, and at rest',
    C10: "a proposal's place in the log holds that command; each is answered once",
  },
  Durability: {
    D1: 'persist before promise: the term of every message is durable, so is a vote, and what waits for a batch leaves when that is durable',
    D2: 'a restart finds the term, vote and log that were durable, or those of a batch that was on its way',
    D3: 'when nothing is under way, memory and disk agree',
    D4: 'somebody still has what is committed, and those who may vote without it are no quorum. Not checked where damage is meant to be more than that',
    D5: 'what comes back from the disk is what was written: at a restart, when entries are loaded, in repairs',
    D6: 'what was acknowledged is never silently absent after a restart: it is there, if only as a damaged entry',
    D7: '"I do not have it" is said of nothing that stands in the log, damaged or not',
  },
  Snapshots: {
    E1: "a snapshot that is taken, sent, installed or found holds a committed prefix; one's own only what was applied, and no more than the log on the same disk",
    E2: 'the state that a snapshot gives is the one that applying gives',
    E3: "the log begins at or before the snapshot's index, and ends at or behind it",
    E4: 'a snapshot voids a log that does not hold its last entry, and leaves any other as it was',
    E6: 'after a crash the log and the snapshot are the old or the new ones (durability.ts)',
  },
  Configurations: {
    F1: 'the configuration in force is the newest in the log, committed or not',
    F2: 'a leader makes one step of a change at a time: what was in force is committed',
    F3: 'and not before it has committed an entry of its own term',
    F4: 'quorums overlap: the voters stay, or a second half joins them, or the first one goes',
    F5: 'while joint, elections and commits are counted in each half',
    F6: 'learners count for nothing (the same)',
    F7: 'a configuration is the same on all servers, in snapshots too',
  },
  Clients: {
    G2: "a read's index is at least what was committed anywhere when it came; each is answered once",
    G3: 'a quorum has answered a round of heartbeats that was sent after the read came, or its lease lasts (G4), and the leader has committed in its term',
    G4: 'with lease reads: a lease counts from a round that left no earlier and that a quorum, of both halves while joint, has answered; a read without a round of its own falls within its length, and not behind TimeoutNow; who heard a leader, or restarted, grants no vote and no PreVote for electionTimeoutMin, but to whom the leader called',
  },
  'Resources and survival': {
    H6: 'no server stops because its own code broke (InternalError), whatever happens to it',
  },
};

export const invariantLines: readonly InvariantLine[] = Object.entries(groups).flatMap(([group, sentences]) =>
  Object.entries(sentences).map(([id, sentence]) => ({ id, group, sentence })),
);

export function sentenceOf(id: string): string {
  return invariantLines.find((line) => line.id === id)?.sentence ?? 'See docs/invariants.md.';
}
