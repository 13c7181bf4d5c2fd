/**
 * Counts the hard situations that random runs get into. A search that never sees one of them proves nothing about it, so the
 * test that uses this demands each at least once.
 */
import type { Configuration, Input, Output, PersistBatch, RaftState, RecoveredState } from '../../../src/index.ts';
import type { Ghosts } from '../invariants/index.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';

export const situations = [
  'a leader elected',
  'a leader elected by a joint configuration',
  'two leaders alive in different terms',
  'an election without a winner',
  'several entries cut at once',
  'an entry of an older term committed',
  'a commit before the own disk',
  'a restart that lost something not durable',
  'a restart that finds what was never reported',
  'a restart with a compacted log',
  'a snapshot restored',
  'a snapshot installed over a longer log',
  'entries loaded from storage',
  'a proposal appended here',
  'a proposal carried to the leader',
  'a proposal of unknown outcome',
  'a proposal refused as busy',
  'a read answered by the leader',
  'a read answered by a follower',
  'a read answered by a lease',
  'a voter that protects a leader it does not know',
  'a read lost with its leader',
  'a leader that steps down for want of a majority',
  'an incarnation bound',
  'another incarnation noticed',
  'a damaged entry noticed while it was read',
  'a damaged entry repaired',
  'a leader that settles damaged entries first',
  'damaged entries cut because a majority lacks them',
  'a damaged entry replaced by a snapshot',
  'a snapshot taken for the sake of a damaged entry',
  'a change of membership begun',
  'a change of membership refused',
  'a change of membership carried to the leader',
  'a newcomer that waits until it has caught up',
  'two halves that decide together',
  'a change that is over',
  'a server readmitted as another life',
  'a change cut away with its entry',
  'a leader that is no voter any more and leaves',
  'a leadership transfer done',
  'a leadership transfer that came to nothing',
  'a leader taken for gone',
  'a leader whose disk stands still hands over',
  'a leader that has to prove itself after a sleep',
  'a deposed leader that stands back',
  'a wider range of election timeouts',
  'a version raised',
  'a raised version cut away with its entry',
  'a change or a transfer refused because the version is too old',
] as const;
export type Situation = (typeof situations)[number];

export class Sightings implements Observer {
  readonly seen: Map<Situation, number>;
  readonly #ghosts: () => Ghosts;
  readonly #servers: () => Iterable<TestServer>;

  /** `seen` is shared by the runs of one test. */
  constructor(seen: Map<Situation, number>, ghosts: () => Ghosts, servers: () => Iterable<TestServer>) {
    this.seen = seen;
    this.#ghosts = ghosts;
    this.#servers = servers;
  }

  starting(server: TestServer, recovered: RecoveredState): void {
    this.#note('a restart with a compacted log', recovered.base.index > 0);
    const reported = this.#reported.get(server.id);
    this.#note(
      'a restart that finds what was never reported',
      reported !== undefined && recovered.lastIndex > reported,
    );
  }

  stepping(server: TestServer, input: Input): void {
    this.#roleBefore = server.core.role;
    this.#commitBefore = server.core.commitIndex;
    this.#note('entries loaded from storage', input.kind === 'loaded');
  }

  stepped(server: TestServer, input: Input): void {
    const { core } = server;
    if (input.kind === 'message' && input.message.kind === 'preVote') {
      this.#note('a voter that protects a leader it does not know', core.state.sticky && core.leader === null);
    }
    if (input.kind === 'read' && core.state.leadership !== null) {
      const waits = core.state.leadership.reads.some(({ id, from }) => from === null && id === input.id);
      this.#note('a read answered by a lease', !waits && core.state.leadership.lease.since !== null);
    }
    if (core.role === 'leader' && this.#roleBefore === 'candidate') {
      this.#note('a leader elected');
      this.#note('a leader elected by a joint configuration', core.configuration.outgoing.length > 0);
      const others = [...this.#servers()].filter(
        (other) => other !== server && other.running && other.core.role === 'leader',
      );
      this.#note('two leaders alive in different terms', others.length > 0);
    }
    if (core.role === 'leader' && core.commitIndex > this.#commitBefore) {
      this.#note(
        'an entry of an older term committed',
        this.#ghosts().committed.get(this.#commitBefore + 1)?.term !== core.term,
      );
      this.#note('a commit before the own disk', core.commitIndex > server.disk.durable.lastIndex);
    }
    const { hurriedAttempts, transfer, leadership, standingBack, adaptation } = core.state;
    this.#note('a leader taken for gone', input.kind === 'peerGone' && hurriedAttempts > 0);
    this.#note('a leader whose disk stands still hands over', transfer?.id === null);
    this.#note('a leader that has to prove itself after a sleep', isUnproven(leadership));
    this.#note('a deposed leader that stands back', standingBack.left > 0 && !standingBack.forRepair);
    this.#note('a wider range of election timeouts', adaptation.level > 0);
    this.#note(
      'an election without a winner',
      this.#roleBefore === 'candidate' && input.kind === 'timeout' && input.name === 'election',
    );
    const hasLeft = this.#roleBefore === 'leader' && core.role !== 'leader' && input.kind === 'timeout';
    const isRemoved = !core.configuration.voters.includes(server.id) && core.configuration.outgoing.length === 0;
    this.#note('a leader that steps down for want of a majority', hasLeft && !isRemoved);
    this.#note('a leader that is no voter any more and leaves', hasLeft && isRemoved);
  }

  output(server: TestServer, output: Output): void {
    const { persist } = output;
    this.#note('several entries cut at once', persist !== null && this.#cutLength(server, persist) > 1);
    this.#note(
      'a snapshot installed over a longer log',
      server.disk.latest.lastIndex > (persist?.snapshot?.index ?? Number.POSITIVE_INFINITY),
    );
    for (const event of output.events) {
      this.#note('an incarnation bound', event.kind === 'configuration');
      if (event.kind === 'configuration') {
        const isCut = event.configuration.index < (this.#newest.get(server.id) ?? 0);
        this.#note('a change cut away with its entry', isCut && output.events.some(({ kind }) => kind === 'truncated'));
        this.#newest.set(server.id, event.configuration.index);
        this.#noteVersion(server, event.configuration, isCut);
        this.#noteConfiguration(event.configuration);
      }
      this.#note('another incarnation noticed', event.kind === 'foreignIncarnation');
      this.#note('a damaged entry noticed while it was read', event.kind === 'faulty');
      this.#note('a damaged entry repaired', event.kind === 'repaired');
    }
    const leads = server.core.role === 'leader';
    this.#note('a leader that settles damaged entries first', server.core.status().recovering);
    this.#note('damaged entries cut because a majority lacks them', leads && (persist?.truncateFrom ?? 0) > 0);
    this.#note('a damaged entry replaced by a snapshot', persist !== null && persist.adopt !== null);
    this.#note('a snapshot taken for the sake of a damaged entry', output.takeSnapshot);
    for (const { refused, unknown } of output.proposals) {
      this.#note('a proposal appended here', leads && refused === null && !unknown);
      this.#note('a proposal carried to the leader', !leads && refused === null && !unknown);
      this.#note('a proposal of unknown outcome', unknown);
      this.#note('a proposal refused as busy', refused === 'busy');
    }
    for (const { refused, unknown } of output.changes) {
      this.#note('a change of membership begun', leads && refused === null);
      this.#note('a change of membership refused', refused !== null);
      this.#note('a change or a transfer refused because the version is too old', refused === 'versionTooOld');
      this.#note('a change of membership carried to the leader', !leads && refused === null && !unknown);
    }
    for (const { outcome } of output.transfers) {
      this.#note('a change or a transfer refused because the version is too old', outcome === 'versionTooOld');
      this.#note('a leadership transfer done', outcome === 'done');
      this.#note('a leadership transfer that came to nothing', outcome === 'timedOut' || outcome === 'behind');
    }
    for (const { refused } of output.reads) {
      this.#note('a read answered by the leader', leads && refused === null);
      this.#note('a read answered by a follower', !leads && refused === null);
      this.#note('a read lost with its leader', refused === 'leadershipLost');
    }
  }

  #noteVersion({ id, core }: TestServer, { protocol }: Configuration, isCut: boolean): void {
    const before = this.#versions.get(id) ?? 1;
    this.#versions.set(id, protocol);
    this.#note('a version raised', core.role === 'leader' && protocol > before);
    this.#note('a raised version cut away with its entry', isCut && protocol < before);
  }

  #noteConfiguration(configuration: Configuration): void {
    const { outgoing, target, former, version, members } = configuration;
    const isWaiting = target !== null && outgoing.length === 0;
    this.#note('a newcomer that waits until it has caught up', isWaiting);
    this.#note('two halves that decide together', outgoing.length > 0 && target !== null);
    this.#note('a change that is over', target === null && version > 1 && outgoing.length === 0);
    const again = former.some(({ id }) => members.some((member) => member.id === id && member.incarnation !== null));
    this.#note('a server readmitted as another life', again);
  }

  durable(server: TestServer): void {
    this.#reported.set(server.id, server.disk.durable.lastIndex);
  }

  restored(): void {
    this.#note('a snapshot restored');
  }

  crashing(server: TestServer): void {
    this.#note('a restart that lost something not durable', server.disk.pending.length > 0);
  }

  #roleBefore = 'follower';
  /** By server: where the configuration in force was defined. */
  readonly #newest = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  #commitBefore = 0;
  readonly #reported = new Map<string, number>();

  #cutLength(server: TestServer, batch: PersistBatch): number {
    return batch.truncateFrom === 0 ? 0 : server.disk.latest.lastIndex + 1 - batch.truncateFrom;
  }

  #note(situation: Situation, sighted = true): void {
    if (sighted) {
      this.seen.set(situation, (this.seen.get(situation) ?? 0) + 1);
    }
  }
}

function isUnproven(leadership: RaftState['leadership']): boolean {
  return leadership !== null && leadership.confirmedRound < leadership.proofRound;
}
