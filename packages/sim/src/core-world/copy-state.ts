/**
 * A deep copy of a core's state, as quick as it can be: searches make one for every step they try. What nobody changes after it was
 * made (entries, configurations, positions, ballots) is shared. The compiler sees that no field is left out, a test that nothing which
 * changes is shared.
 */
import type { RaftState } from '@quorate/raft';

type Leadership = NonNullable<RaftState['leadership']>;
type Progress = Leadership['progress'][number];

export function copyState(state: Readonly<RaftState>): RaftState {
  const { transfer, leadership } = state;
  return {
    term: state.term,
    vote: state.vote,
    log: copyLog(state.log),
    snapshot: state.snapshot,
    configurations: state.configurations.slice(),
    role: state.role,
    leader: state.leader,
    commitIndex: state.commitIndex,
    appliedIndex: state.appliedIndex,
    applyHanded: state.applyHanded,
    restoring: state.restoring,
    now: state.now,
    durability: copyDurability(state.durability),
    timers: copyTimers(state.timers),
    sticky: state.sticky,
    preVoteRound: state.preVoteRound,
    votes: state.votes.slice(),
    transferCampaign: state.transferCampaign,
    transfer:
      transfer === null ? null : { id: transfer.id, target: transfer.target, term: transfer.term, sent: transfer.sent },
    leadership: leadership === null ? null : copyLeadership(leadership),
    forwarded: copyForwarded(state.forwarded),
    adaptation: { level: state.adaptation.level },
    standingBack: {
      left: state.standingBack.left,
      forRepair: state.standingBack.forRepair,
      falls: state.standingBack.falls,
    },
    hurriedAttempts: state.hurriedAttempts,
    mayGiveWay: state.mayGiveWay,
    repair: {
      round: state.repair.round,
      askedTo: state.repair.askedTo,
      delay: state.repair.delay,
      armed: state.repair.armed,
    },
    loans: state.loans.slice(),
    nextLoad: state.nextLoad,
  };
}

function copyLog(log: RaftState['log']): RaftState['log'] {
  return {
    base: log.base,
    lastIndex: log.lastIndex,
    runs: log.runs.slice(),
    cache: log.cache.slice(),
    cacheHead: log.cacheHead,
    cacheFirst: log.cacheFirst,
    cacheBytes: log.cacheBytes,
    faulty: log.faulty.map((mark) => ({
      index: mark.index,
      term: mark.term,
      kind: mark.kind,
      hidesConfiguration: mark.hidesConfiguration,
      entry: mark.entry,
      batch: mark.batch,
      lackedBy: mark.lackedBy.slice(),
    })),
  };
}

function copyDurability(durability: RaftState['durability']): RaftState['durability'] {
  return {
    nextBatch: durability.nextBatch,
    durableBatch: durability.durableBatch,
    outstanding: durability.outstanding.map(({ id, lastIndex }) => ({ id, lastIndex })),
    termBatch: durability.termBatch,
    hardStateDirty: durability.hardStateDirty,
    truncateFrom: durability.truncateFrom,
    persistFrom: durability.persistFrom,
    snapshot: durability.snapshot,
    adopt: durability.adopt,
    durableIndex: durability.durableIndex,
  };
}

function copyTimers(timers: RaftState['timers']): RaftState['timers'] {
  return {
    election: timers.election,
    heartbeat: timers.heartbeat,
    quorumCheck: timers.quorumCheck,
    stickiness: timers.stickiness,
    commitNotice: timers.commitNotice,
    transfer: timers.transfer,
    repair: timers.repair,
    quiet: timers.quiet,
  };
}

function copyForwarded(forwarded: RaftState['forwarded']): RaftState['forwarded'] {
  return {
    proposals: forwarded.proposals.slice(),
    proposalBytes: forwarded.proposalBytes,
    changes: forwarded.changes.slice(),
    readsWaiting: forwarded.readsWaiting.slice(),
    readsSent: forwarded.readsSent.slice(),
    readRequest: forwarded.readRequest,
    heartbeatsSinceRead: forwarded.heartbeatsSinceRead,
  };
}

function copyLeadership(leadership: Leadership): Leadership {
  return {
    progress: leadership.progress.map(copyProgress),
    termStart: leadership.termStart,
    recovering: leadership.recovering,
    patience: leadership.patience,
    seen: new Map(leadership.seen),
    catchUpTo: leadership.catchUpTo,
    catchUpNext: leadership.catchUpNext,
    heartbeatsToMark: leadership.heartbeatsToMark,
    uncommittedBytes: leadership.uncommittedBytes,
    round: leadership.round,
    confirmedRound: leadership.confirmedRound,
    lease: { sent: leadership.lease.sent.slice(), since: leadership.lease.since, ended: leadership.lease.ended },
    roundDue: leadership.roundDue,
    checkedAt: leadership.checkedAt,
    proofRound: leadership.proofRound,
    oldestBatch: leadership.oldestBatch,
    stalledChecks: leadership.stalledChecks,
    noticeArmed: leadership.noticeArmed,
    reads: leadership.reads.map((read) => ({ from: read.from, id: read.id, index: read.index, round: read.round })),
  };
}

function copyProgress(progress: Progress): Progress {
  return {
    id: progress.id,
    incarnation: progress.incarnation,
    match: progress.match,
    next: progress.next,
    state: progress.state,
    probeSent: progress.probeSent,
    probeRound: progress.probeRound,
    inflight: progress.inflight.slice(),
    inflightBytes: progress.inflightBytes,
    matchAtHeartbeat: progress.matchAtHeartbeat,
    snapshotIndex: progress.snapshotIndex,
    heartbeatsSinceDelivery: progress.heartbeatsSinceDelivery,
    loading: progress.loading,
    commitSent: progress.commitSent,
    awaited: progress.awaited,
    reading: progress.reading,
    round: progress.round,
    speaks: progress.speaks,
    behind: progress.behind,
    active: progress.active,
    wasActive: progress.wasActive,
    lastContact: progress.lastContact,
  };
}
