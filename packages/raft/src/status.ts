/** What a server looks like from outside: a fresh, plain object for status pages, metrics and tests. */
import { lacksSnapshot } from './faulty.ts';
import { isForeign } from './identity.ts';
import { currentConfiguration } from './membership.ts';
import type { Core } from './state.ts';
import type { Configuration, Index, MemberId, Micros, Role, SnapshotMetadata, Term, Version } from './types.ts';
import { type Feature, versionInUse, withheld } from './versions.ts';

export interface RaftStatus {
  readonly id: MemberId;
  readonly role: Role;
  readonly term: Term;
  readonly vote: MemberId | null;
  readonly leader: MemberId | null;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly lastIndex: Index;
  /** Entries up to here are on this server's disk. */
  readonly durableIndex: Index;
  /** The log begins behind this index. */
  readonly baseIndex: Index;
  readonly snapshot: SnapshotMetadata;
  readonly configuration: Configuration;
  /** Entries whose record is damaged on this server's disk. They come back from other servers. */
  readonly faultyEntries: number;
  /** This server's snapshot is damaged: it applies nothing until another server's has taken its place. */
  readonly lacksSnapshot: boolean;
  /** A leader that settles its faulty entries: it appends nothing and answers no reads until that is done. */
  readonly recovering: boolean;
  /** This incarnation is not the one that the cluster counts on: it neither votes nor campaigns. */
  readonly foreignIncarnation: boolean;
  /** The version of the protocol in use, as far as is committed here. */
  readonly versionInUse: Version;
  /** What needs a later version than that, and is refused as `versionTooOld`. */
  readonly withheld: readonly Feature[];
  /** What this server speaks. */
  readonly versions: { readonly min: Version; readonly max: Version };
  /** On a leader, every other member's progress; otherwise empty. */
  readonly followers: readonly FollowerStatus[];
}

export interface FollowerStatus {
  readonly id: MemberId;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly matchIndex: Index;
  readonly nextIndex: Index;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  /** The newest version of the protocol that it said it speaks; null while it has not in this term. */
  readonly speaks: Version | null;
  /** Its state machine lags far behind what is committed, or it has not said in this term that it does not. */
  readonly behind: boolean;
  /** When an answer last came from it, on the clock of `now`; null if none in this term. */
  readonly lastContact: Micros | null;
}

export function statusOf(core: Core): RaftStatus {
  const { state, options } = core;
  const { log, leadership } = state;
  return {
    id: options.id,
    role: state.role,
    term: state.term,
    vote: state.vote,
    leader: state.leader,
    commitIndex: state.commitIndex,
    appliedIndex: state.appliedIndex,
    lastIndex: log.lastIndex,
    durableIndex: state.durability.durableIndex,
    baseIndex: log.base.index,
    snapshot: state.snapshot,
    configuration: currentConfiguration(state),
    faultyEntries: log.faulty.length,
    lacksSnapshot: lacksSnapshot(state),
    recovering: leadership?.recovering ?? false,
    foreignIncarnation: isForeign(core),
    versionInUse: versionInUse(state),
    withheld: withheld(core),
    versions: { min: options.release.min, max: options.release.max },
    followers: (leadership?.progress ?? []).map((progress) => ({
      id: progress.id,
      state: progress.state,
      matchIndex: progress.match,
      nextIndex: progress.next,
      inflightMessages: progress.inflight.length,
      inflightBytes: progress.inflightBytes,
      speaks: progress.speaks === 0 ? null : progress.speaks,
      behind: progress.behind,
      lastContact: progress.lastContact,
    })),
  };
}
