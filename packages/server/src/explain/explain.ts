/** Why nothing happens: what a server waits for, from its own state alone, in sentences that say what to do. */
import { isJoint, isLearner, isVoter, majorityOf, memberOf } from '@quorate/raft';
import type { ExplainSources, Finding } from './finding.ts';
import { explainVersion } from './version.ts';
import { halvesOf, heldBy, isConnected, isSilent, nameOf, nameWithProblem } from './words.ts';

/** Every reason for waiting that this server knows of; none when nothing waits for anything. */
export function explain(sources: ExplainSources): readonly Finding[] {
  return [
    ...explainLeader(sources),
    ...explainCommit(sources),
    ...explainApply(sources),
    ...explainReads(sources),
    ...explainMembership(sources),
    ...explainVersion(sources),
    ...explainDisk(sources),
  ];
}

/** What /debug/explain shows. */
export function explanationPage(name: string, sources: ExplainSources): unknown {
  const { status } = sources;
  const leader = status.leader === null ? null : nameOf(status, status.leader);
  return { name, role: status.role, term: status.term, leader, findings: explain(sources) };
}

// ------------------------------------------------------------------------------------------------------------------ leader

function explainLeader(sources: ExplainSources): readonly Finding[] {
  const { status } = sources;
  const { configuration, id, leader } = status;
  if (status.foreignIncarnation) {
    return [
      {
        topic: 'leader',
        code: 'foreignDirectory',
        text: 'This server neither votes nor counts: it runs on another data directory than the one that the cluster counts on.',
        advice: 'Start it with --join, so that the cluster readmits it, or restore its directory.',
      },
    ];
  }
  if (configuration.members.length === 0) {
    return [
      {
        topic: 'leader',
        code: 'notLetIn',
        text: 'This server knows no members yet: it waits to be let in.',
        advice: 'Start it with --join HOST:PORT of a member, or add it with quorate member add.',
      },
    ];
  }
  if (memberOf(configuration, id) === undefined) {
    return [
      {
        topic: 'leader',
        code: 'notMember',
        text: 'This server is no member of its cluster any more.',
        advice: 'Stop it.',
      },
    ];
  }
  if (leader !== null) return leader === id ? [] : explainFarLeader(sources, leader);
  return explainNoLeader(sources);
}

function explainFarLeader({ status }: ExplainSources, leader: string): readonly Finding[] {
  const peer = status.peers.find((each) => each.id === leader);
  if (peer === undefined || peer.connected) return [];
  const text = `${nameOf(status, leader)} leads term ${status.term}, but this server has no connection to it (${peer.lastProblem ?? 'no attempt yet'}).`;
  return [
    {
      topic: 'leader',
      code: 'leaderUnreachable',
      text,
      advice: `See whether ${peer.address} can be reached from here.`,
    },
  ];
}

function explainNoLeader({ status }: ExplainSources): readonly Finding[] {
  const { configuration, role, term, id } = status;
  for (const half of halvesOf(status)) {
    const reached = half.filter((voter) => voter === id || isConnected(status, voter));
    const needed = majorityOf(half);
    if (reached.length >= needed) continue;
    const missing = half.filter((voter) => !reached.includes(voter)).map((voter) => nameWithProblem(status, voter));
    const text =
      `There is no leader: ${needed} of ${half.length} voters are needed for one, and this server reaches ` +
      `${reached.length}${reached.includes(id) ? ', itself included' : ''}. Not reached: ${missing.join('; ')}.`;
    const advice = 'Start the missing servers. If a majority is lost for good: quorate recover --force-new-cluster.';
    return [{ topic: 'leader', code: 'noMajority', text, advice }];
  }
  if (isLearner(configuration, id)) {
    const text =
      'There is no leader that this server knows of. It is a learner: it waits for one of the voters to be elected.';
    return [{ topic: 'leader', code: 'learnerWaits', text, advice: 'Ask a voter why: quorate explain --endpoints …' }];
  }
  if (role === 'follower') {
    const text =
      'There is no leader yet. This server stands for election when it has heard none for an election timeout.';
    return [{ topic: 'leader', code: 'waitsToStand', text, advice: null }];
  }
  const damaged = status.faultyEntries > 0 ? ` Its own log has ${status.faultyEntries} damaged entries.` : '';
  const text = `There is no leader: this server stands for election (${role}, term ${term}) and waits for votes.${damaged}`;
  const advice = 'If this goes on, another server has a longer log or a leader of its own: ask the others.';
  return [{ topic: 'leader', code: 'electing', text, advice }];
}

// ------------------------------------------------------------------------------------------------------- commit and apply

function explainCommit(sources: ExplainSources): readonly Finding[] {
  const { status } = sources;
  const { lastIndex, commitIndex, durableIndex, role } = status;
  if (role !== 'leader') {
    if (status.pendingProposals === 0 || status.leader === null) return [];
    const text = `${status.pendingProposals} writes of this server's clients wait for the leader, ${nameOf(status, status.leader)}.`;
    return [
      { topic: 'commit', code: 'leaderAsked', text, advice: 'Ask the leader why: quorate explain at its endpoint.' },
    ];
  }
  if (status.recovering) {
    const text = 'This leader appends nothing: it settles damaged entries of its log with the other servers.';
    return [
      { topic: 'commit', code: 'settling', text, advice: 'It needs the other voters: start those that are down.' },
    ];
  }
  if (lastIndex <= commitIndex) return [];
  const entries = `Entries ${commitIndex + 1} to ${lastIndex} are not committed`;
  for (const half of halvesOf(status)) {
    const next = commitIndex + 1;
    const holders = half.filter((voter) => heldBy(status, voter) >= next);
    const needed = majorityOf(half);
    if (holders.length >= needed) continue;
    const missing = half.filter((voter) => !holders.includes(voter));
    const text = `${entries}: ${holders.length} of ${half.length} voters hold entry ${next}, ${needed} are needed. ${missing.map((voter) => whyBehind(sources, voter)).join(' ')}`;
    const advice = missing.some((voter) => isSilent(sources, voter)) ? 'Start the servers that do not answer.' : null;
    return [
      {
        topic: 'commit',
        code: durableIndex < next && missing.includes(status.id) ? 'ownDisk' : 'tooFewHold',
        text,
        advice,
      },
    ];
  }
  const text = `${entries} yet, though a majority holds them: an entry of this leader's own term has to be committed first.`;
  return [{ topic: 'commit', code: 'ownTermFirst', text, advice: null }];
}

function whyBehind(sources: ExplainSources, voter: string): string {
  const { status } = sources;
  const name = nameOf(status, voter);
  if (voter === status.id) return `This leader's own disk holds up to entry ${status.durableIndex} only.`;
  const follower = status.followers.find(({ id }) => id === voter);
  if (!isConnected(status, voter)) return `${nameWithProblem(status, voter)} is not connected.`;
  if (follower === undefined || isSilent(sources, voter)) return `${name} is connected but has not answered lately.`;
  if (follower.state === 'snapshot') return `${name} receives a snapshot first.`;
  return `${name} holds up to entry ${follower.matchIndex}.`;
}

function explainApply({ status }: ExplainSources): readonly Finding[] {
  const behind = status.commitIndex - status.appliedIndex;
  if (behind <= 0) return [];
  const text = `${behind} committed entries, from ${status.appliedIndex + 1} on, are not applied here yet.`;
  const advice = status.faultyEntries > 0 ? 'Damaged entries among them are fetched from the other servers.' : null;
  return [{ topic: 'apply', code: 'applying', text, advice }];
}

// ----------------------------------------------------------------------------------------------------------------- reads

function explainReads(sources: ExplainSources): readonly Finding[] {
  const { status } = sources;
  const { pendingReads, leader, id } = status;
  if (pendingReads === 0) return [];
  const found = (code: string, why: string, advice: string | null): readonly Finding[] => [
    { topic: 'reads', code, text: `${pendingReads} reads wait: ${why}`, advice },
  ];
  const serializable = 'A read with --consistency=s is answered from this server alone, and may be old.';
  if (leader === null)
    return found('readsNeedLeader', 'no leader is known that could say how new they must be.', serializable);
  if (leader !== id)
    return found(
      'readsAskLeader',
      `the leader, ${nameOf(status, leader)}, has to say how new they must be.`,
      serializable,
    );
  for (const half of halvesOf(status)) {
    const silent = half.filter((voter) => voter !== id && isSilent(sources, voter));
    if (half.length - silent.length >= majorityOf(half)) continue;
    const names = silent.map((voter) => nameOf(status, voter)).join(', ');
    return found(
      'readsNeedMajority',
      `a majority has to confirm that this server still leads, and ${names} do not answer.`,
      serializable,
    );
  }
  if (status.appliedIndex < status.commitIndex)
    return found('readsNeedApply', 'this server has not applied all that is committed.', null);
  return found('readsConfirming', 'a round of heartbeats is on its way.', null);
}

// ------------------------------------------------------------------------------------------------------- membership and disk

function explainMembership(sources: ExplainSources): readonly Finding[] {
  const { status } = sources;
  const { configuration, commitIndex } = status;
  const found = (code: string, text: string, advice: string | null): readonly Finding[] => [
    { topic: 'membership', code, text, advice },
  ];
  if (isJoint(configuration)) {
    return found(
      'joint',
      'A change of membership is under way: every decision needs a majority of the old voters and one of the new.',
      null,
    );
  }
  if (configuration.index > commitIndex)
    return found('uncommitted', `Version ${configuration.version} of the membership is not committed yet.`, null);
  if (configuration.target === null) return [];
  const newcomers = configuration.target.voters.filter((id) => !isVoter(configuration, id));
  if (newcomers.length === 0) return found('changing', 'A change of membership is under way.', null);
  if (status.role !== 'leader') {
    return found(
      'catchingUp',
      `A change of membership waits for ${newcomers.map((id) => nameOf(status, id)).join(', ')} to catch up.`,
      'The leader knows how far they are.',
    );
  }
  const each = newcomers.map((id) => whyNewcomerWaits(sources, id));
  const advice = newcomers.some((id) => isSilent(sources, id))
    ? 'Start those that do not answer, with --join; or remove them.'
    : null;
  return found('catchingUp', `A change of membership waits for newcomers: ${each.join('; ')}.`, advice);
}

function whyNewcomerWaits(sources: ExplainSources, id: string): string {
  const { status } = sources;
  const follower = status.followers.find((each) => each.id === id);
  const name = nameOf(status, id);
  if (follower === undefined || isSilent(sources, id)) return `${name} does not answer`;
  if (follower.state === 'snapshot') return `${name} receives a snapshot`;
  const lag = follower.behind ? ', and has much of it yet to apply' : '';
  return `${name} holds ${follower.matchIndex} of ${status.lastIndex} entries${lag}`;
}

function explainDisk({ status }: ExplainSources): readonly Finding[] {
  const findings: Finding[] = [];
  const advice = 'If this happens again, replace the disk.';
  if (status.faultyEntries > 0) {
    const text = `${status.faultyEntries} entries are damaged on this server's disk. They come back from the other servers.`;
    findings.push({ topic: 'disk', code: 'damaged', text, advice });
  }
  if (status.lacksSnapshot) {
    const text = "The snapshot on this server's disk is damaged. It applies nothing until the leader has sent another.";
    findings.push({ topic: 'disk', code: 'snapshotLost', text, advice });
  }
  return findings;
}
