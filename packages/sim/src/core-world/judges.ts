/**
 * What must hold in every state of a core world, looked at after each step: what the step changed is compared with what the other servers
 * have and with what happened before (docs/invariants.md has the list). A search needs these, since its states branch; what it finds is
 * run again before `Invariants`, which knows more and says it better.
 */
import type { Entry, Index, MemberId, Message, RaftState, Term } from '@quorate/raft';
import { isQuorum } from '../invariants/quorum.ts';
import { entryOn } from './disk.ts';
import { type Ghost, isSameEntry } from './ghost.ts';
import type { CoreServer } from './server.ts';
import type { Broken } from './surroundings.ts';

export interface Judgement {
  readonly ghost: Ghost;
  readonly broken: Broken | null;
}

/** Judges a step of `after`, which was `before` and has `sent` these; `servers` are all of them as they are now. */
export function judge(
  ghost: Ghost,
  before: CoreServer,
  after: CoreServer,
  sent: readonly Message[],
  servers: readonly CoreServer[],
  unjudged: readonly string[],
): Judgement {
  const now = after.raft;
  if (now === null) return { ghost, broken: null };
  const was = before.raft;
  const own = was === null ? checkStart(after, now) : checkStep(after.id, was, now);
  if (own !== null) return { ghost, broken: own };
  let told = ghost;
  if (now.role === 'leader' && (was === null || was.role !== 'leader' || was.term !== now.term)) {
    const broken = checkElection(ghost, after.id, now);
    if (broken !== null) return { ghost, broken };
    told = { ...told, leaders: withLeader(told.leaders, now.term, after.id) };
  }
  if (now.commitIndex > (was?.commitIndex ?? now.snapshot.index)) {
    const judgement = checkCommit(told, after.id, was, now, servers, unjudged);
    if (judgement.broken !== null && !unjudged.includes(judgement.broken.invariant)) return judgement;
    told = judgement.ghost;
  }
  const broken =
    checkAcks(after, sent, servers) ??
    (was === null || isOtherLog(was, now) ? checkLogs(after.id, now, servers) : null) ??
    (before.machine === after.machine ? null : checkMachine(after, servers)) ??
    (was?.configurations === now.configurations ? null : checkConfigurations(after.id, now));
  return { ghost: told, broken };
}

/** D2: a server starts as its disk says. */
function checkStart({ id, disk }: CoreServer, { term, vote, log }: RaftState): Broken | null {
  const { hardState, base, entries } = disk;
  const lastIndex = base.index + entries.length;
  if (term === hardState.term && vote === hardState.vote && log.lastIndex === lastIndex) return null;
  return {
    invariant: 'D2',
    first: `the disk of ${id} has term ${hardState.term}, a vote for ${hardState.vote ?? 'nobody'} and a log to ${lastIndex}`,
    second: `it starts with term ${term}, a vote for ${vote ?? 'nobody'} and a log to ${log.lastIndex}`,
  };
}

/** A1, A3, C2 and B2: what only grows, has grown. */
function checkStep(id: MemberId, was: RaftState, now: RaftState): Broken | null {
  if (now.term < was.term)
    return { invariant: 'A1', first: `${id} was in term ${was.term}`, second: `it went back to term ${now.term}` };
  if (now.term === was.term && was.vote !== null && now.vote !== was.vote) {
    const first = `${id} voted for ${was.vote} in term ${now.term}`;
    return { invariant: 'A3', first, second: `its vote is now ${now.vote ?? 'gone'}` };
  }
  if (now.commitIndex < was.commitIndex || now.appliedIndex < was.appliedIndex) {
    const first = `${id} had committed ${was.commitIndex} and applied ${was.appliedIndex}`;
    return { invariant: 'C2', first, second: `now ${now.commitIndex} and ${now.appliedIndex}` };
  }
  const stays = was.role === 'leader' && now.role === 'leader' && was.term === now.term;
  if (stays && !was.leadership?.recovering && now.log.lastIndex < was.log.lastIndex) {
    const first = `${id} leads term ${was.term} with a log to ${was.log.lastIndex}`;
    return { invariant: 'B2', first, second: `its log ends at ${now.log.lastIndex} now` };
  }
  return null;
}

/** A6: at most one leader a term, ever. C6: it has all that was committed in earlier terms (§5.4.3). */
function checkElection(ghost: Ghost, id: MemberId, { term, log }: RaftState): Broken | null {
  const led = ghost.leaders.find((each) => each.term === term);
  if (led !== undefined) {
    const second = led.leader === id ? `${id} was elected in it once more` : `${id} was elected in it too`;
    return { invariant: 'A6', first: `${led.leader} was elected in term ${term}`, second };
  }
  for (const { entry, commitTerm } of ghost.committed) {
    if (commitTerm >= term || entry.index <= log.base.index) continue;
    const has = termIn(log, entry.index);
    if (has === entry.term) continue;
    const first = `entry ${entry.index}/${entry.term} was committed in term ${commitTerm}`;
    return { invariant: 'C6', first, second: `${id} was elected in term ${term} with ${has ?? 'nothing'} there` };
  }
  return null;
}

function withLeader(leaders: Ghost['leaders'], term: Term, leader: MemberId): Ghost['leaders'] {
  return [...leaders, { term, leader }].sort((a, b) => a.term - b.term);
}

/** C5: what is committed, is committed for ever and everywhere the same. Where a leader commits what nobody has before: C3 and C4. */
function checkCommit(
  ghost: Ghost,
  id: MemberId,
  was: RaftState | null,
  now: RaftState,
  servers: readonly CoreServer[],
  unjudged: readonly string[],
): Judgement {
  const { commitIndex, log, term } = now;
  // One that leaves may commit its last entries and step down in one step.
  const counts = now.role === 'leader' || (was?.role === 'leader' && was.term === term);
  const committed = [...ghost.committed];
  for (let index = log.base.index + 1; index <= commitIndex; index++) {
    const entry = entryIn(log, index);
    const known = committed[index - 1]?.entry;
    if (entry === undefined || (known !== undefined && isSameEntry(known, entry))) continue;
    if (known !== undefined) {
      const first = `entry ${index}/${known.term} is committed`;
      return { ghost, broken: { invariant: 'C5', first, second: `${id} commits ${index}/${entry.term}` } };
    }
    if (!counts || committed.length !== index - 1) {
      const first = `nobody has committed entry ${index}`;
      return { ghost, broken: { invariant: 'C5', first, second: `${id} commits ${index}/${entry.term}` } };
    }
    committed.push({ entry, commitTerm: term });
  }
  if (committed.length === ghost.committed.length) return { ghost, broken: null };
  return { ghost: { ...ghost, committed }, broken: checkLeaderCommit(id, was, now, servers, unjudged) };
}

/** C3: a leader counts for entries of its own term only (§5.4.2). C4: a quorum has them on its disks. */
function checkLeaderCommit(
  id: MemberId,
  was: RaftState | null,
  now: RaftState,
  servers: readonly CoreServer[],
  unjudged: readonly string[],
): Broken | null {
  const { commitIndex, log, term, configurations } = now;
  const own = termIn(log, commitIndex);
  if (own !== term && !unjudged.includes('C3')) {
    const second = `${id} commits it by counting, as leader of term ${term}`;
    return { invariant: 'C3', first: `entry ${commitIndex} is of term ${own ?? 'none'}`, second };
  }
  // A commit may lead to the next step of a change at once: whichever was in force meanwhile.
  const since = was?.configurations.at(-1)?.index ?? 0;
  const inForce = configurations.filter(({ index }, at) => index >= since || at === configurations.length - 1);
  const holders = servers.filter(({ disk }) => holds(disk, commitIndex, own ?? 0)).map((server) => server.id);
  if (inForce.some((configuration) => isQuorum(configuration, (member) => holders.includes(member)))) return null;
  const first = `entry ${commitIndex}/${own} is on the disks of ${holders.join(' ') || 'nobody'}`;
  return { invariant: 'C4', first, second: `${id} commits it` };
}

function holds(disk: CoreServer['disk'], index: Index, term: Term): boolean {
  return disk.snapshot.index >= index || entryOn(disk, index)?.term === term;
}

function isOtherLog({ log: was }: RaftState, { log: now }: RaftState): boolean {
  return was.lastIndex !== now.lastIndex || termIn(was, was.lastIndex) !== termIn(now, now.lastIndex);
}

/** B6: what is acknowledged stands on the disk as the leader has it. */
function checkAcks({ id, disk }: CoreServer, sent: readonly Message[], servers: readonly CoreServer[]): Broken | null {
  for (const message of sent) {
    if (message.kind !== 'appendEntriesReply' || !message.accepted || message.index <= disk.base.index) continue;
    const { index, term, to } = message;
    const leader = servers.find((server) => server.id === to)?.raft;
    if (leader?.role !== 'leader' || leader.term !== term || index <= leader.log.base.index) continue;
    const [own, theirs] = [entryOn(disk, index)?.term ?? null, termIn(leader.log, index)];
    if (own !== null && own === theirs) continue;
    const first = `the disk of ${id} has term ${own ?? 'none'} at ${index}`;
    return {
      invariant: 'B6',
      first,
      second: `it acknowledges ${index} to ${to}, whose log has ${theirs ?? 'none'} there`,
    };
  }
  return null;
}

/** B3: logs that have an entry of the same index and term are the same up to there (§5.3). */
function checkLogs(id: MemberId, { log }: RaftState, servers: readonly CoreServer[]): Broken | null {
  for (const other of servers) {
    if (other.raft === null || other.id === id) continue;
    const broken = checkMatching(id, log, other.id, other.raft.log);
    if (broken !== null) return broken;
  }
  return null;
}

function checkMatching(id: MemberId, log: Log, otherId: MemberId, other: Log): Broken | null {
  const lowest = Math.max(log.base.index, other.base.index);
  let agreed: Index | null = null;
  for (let index = Math.min(log.lastIndex, other.lastIndex); index > lowest; index--) {
    const [ours, theirs] = [entryIn(log, index), entryIn(other, index)];
    if (ours === undefined || theirs === undefined) break;
    if (ours.term === theirs.term) agreed ??= index;
    if (agreed === null || isSameEntry(ours, theirs)) continue;
    const first = `${id} and ${otherId} both have entry ${agreed}/${termIn(log, agreed) ?? 'none'}`;
    return { invariant: 'B3', first, second: `at ${index} they have other entries` };
  }
  return null;
}

/** C8: machines that have applied as much are the same. */
function checkMachine({ id, machine }: CoreServer, servers: readonly CoreServer[]): Broken | null {
  const other = servers.find(
    (each) => each.id !== id && each.machine.index === machine.index && each.machine.digest !== machine.digest,
  );
  if (other === undefined) return null;
  const first = `the machine of ${other.id} has digest ${other.machine.digest} at entry ${machine.index}`;
  return { invariant: 'C8', first, second: `that of ${id} has ${machine.digest}` };
}

/** F2: a leader makes one change of who decides at a time (§6). */
function checkConfigurations(id: MemberId, { role, configurations, commitIndex }: RaftState): Broken | null {
  if (role !== 'leader') return null;
  const changes = configurations.filter(
    ({ index, voters, outgoing }, at) =>
      index > commitIndex && at > 0 && !isSameList(voters, outgoing, configurations[at - 1]),
  );
  const [first, second] = changes;
  if (first === undefined || second === undefined) return null;
  return {
    invariant: 'F2',
    first: `the change of ${id} in entry ${first.index} is not committed`,
    second: `it has begun another in entry ${second.index}`,
  };
}

function isSameList(
  voters: readonly MemberId[],
  outgoing: readonly MemberId[],
  other: RaftState['configurations'][number] | undefined,
): boolean {
  return voters.join() === other?.voters.join() && outgoing.join() === other.outgoing.join();
}

type Log = RaftState['log'];

function entryIn({ cache, cacheHead, cacheFirst, lastIndex }: Log, index: Index): Entry | undefined {
  return index < cacheFirst || index > lastIndex ? undefined : cache[cacheHead + index - cacheFirst];
}

function termIn(log: Log, index: Index): Term | null {
  if (index > log.lastIndex || index < log.base.index) return null;
  return log.runs.findLast((run) => run.first <= index)?.term ?? log.base.term;
}
