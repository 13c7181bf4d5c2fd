/** Counts the hard situations that a world gets into, from what it tells its watchers. */
import type { CoreLife } from '@quorate/runtime';
import type { Configuration, Index, Input, MemberId, Message, Output, PersistBatch } from '@quorate/raft';
import type { DiskFaultKind } from '../disk/index.ts';
import { hashBytes } from '../invariants/chain.ts';
import { isQuorum } from '../invariants/quorum.ts';
import type { AppliedEntry, WorldWatcher } from '../watch.ts';
import { electionSights, sightsOf } from './election-sights.ts';
import { SightedServer } from './sighted-server.ts';
import { type Situation, situations } from './situations.ts';

/** Commands of unknown outcome that are remembered, by fingerprint. */
const maxUnknown = 4096;

export class Coverage implements WorldWatcher {
  /** `seen <situation>`: every situation, those never seen with 0. */
  readonly counts = new Map<string, number>(situations.map((situation) => [`seen ${situation}`, 0]));
  readonly #servers = new Map<MemberId, SightedServer>();
  readonly #unknown = new Set<number>();
  /** How long those commands are: whatever has another length need not be looked at. */
  readonly #unknownLengths = new Set<number>();

  onStart(id: MemberId, { recovered, raft, options }: CoreLife): void {
    const server = this.#servers.get(id);
    if (server === undefined) {
      this.#servers.set(id, new SightedServer(raft, recovered, options));
      return;
    }
    const { pending, durable } = server;
    const handed = pending.at(-1);
    const isBehind =
      handed !== undefined && (recovered.lastIndex < handed.lastIndex || recovered.hardState.term < handed.term);
    const isAhead = recovered.lastIndex > durable.lastIndex || recovered.hardState.term > durable.term;
    this.#note('restart that lost what was not durable', isBehind);
    this.#note('restart that finds what was never reported', handed !== undefined && isAhead);
    this.#note('restart with a compacted log', recovered.base.index > 0);
    this.#note('restart that speaks a later version', options.release.max > server.speaks);
    server.restart(raft, recovered, options);
  }

  onInput(id: MemberId, input: Input): void {
    const server = this.#servers.get(id);
    if (server === undefined) return;
    if (input.kind === 'message') this.#received(server, input.message);
    else if (input.kind === 'persisted') server.persisted(input.id);
    else if (input.kind === 'propose') server.proposals.set(input.id, input.commands);
    else if (input.kind === 'loaded') this.#note('entries loaded from storage');
    this.#elections(server);
    this.#role(server, input);
    if (server.role === 'leader' && server.raft.role === 'leader') this.#commit(server, input);
    server.look();
  }

  #received(server: SightedServer, message: Message): void {
    this.#note('message of an earlier term arrives', message.term < server.term);
    // By its term, which the sender or the receiver had left behind when it last started.
    const restartTerm = Math.max(server.restartTerm, this.#servers.get(message.from)?.restartTerm ?? 0);
    this.#note('message older than a restart arrives', message.term < restartTerm);
    if (message.kind === 'fetchEntriesReply') {
      const isFaulty = message.answers.some((answer) => answer.verdict === 'haveFaulty');
      this.#note('a faulty entry is faulty elsewhere too', isFaulty);
    }
    if (message.kind === 'fetchEntries') this.#note('a damaged snapshot is asked for', message.snapshot > 0);
    if (message.kind === 'heartbeatReply' && message.speaks < server.speaks) {
      const isHeld = server.raft.role === 'leader' && message.speaks === server.raft.configuration.protocol;
      this.#note('version held by a member that speaks no later one', isHeld);
    }
    if (message.kind === 'readIndexReply')
      this.#note('stale ReadIndex answer arrives', message.id !== server.readRequest);
  }

  #elections(server: SightedServer): void {
    const { state } = server.raft;
    this.#note('leader elected in haste', server.hurried > 0 && state.role === 'leader' && server.role !== 'leader');
    const seen = electionSights(state) & ~server.elections;
    if (seen !== 0) for (const situation of sightsOf(seen)) this.#note(situation);
  }

  #role(server: SightedServer, input: Input): void {
    const { role } = server.raft;
    const isElection = input.kind === 'timeout' && input.name === 'election';
    this.#note(
      'split vote',
      isElection && server.role === 'candidate' && (role !== 'candidate' || server.raft.term > server.term),
    );
    if (role === server.role) return;
    if (role === 'leader') {
      const isRecovering = server.raft.state.leadership?.recovering === true;
      this.#note('leader settles faulty entries before its term begins', isRecovering);
      this.#note('leader elected by two halves', server.raft.configuration.outgoing.length > 0);
      for (const other of this.#servers.values()) {
        const leads = other !== server && other.isRunning && other.raft.role === 'leader';
        this.#note('two leaders alive in different terms', leads);
      }
    }
    if (server.role !== 'leader') return;
    this.#note('snapshot interrupted by a change of leader', server.sendsSnapshot);
    this.#note('leader steps down without a majority', input.kind === 'timeout' && input.name === 'quorumCheck');
    this.#note('leader leaves because it was removed', input.kind === 'applied');
  }

  #commit(server: SightedServer, input: Input): void {
    const { raft } = server;
    const { leadership, commitIndex, durability } = raft.state;
    if (leadership === null) return;
    if (commitIndex > server.commitIndex) {
      this.#note('old-term entry committed by a new-term one', raft.termAt(server.commitIndex + 1) !== raft.term);
      this.#note('commit before the leader has it on its own disk', commitIndex > durability.durableIndex);
    } else if (
      commitIndex + 1 < leadership.termStart &&
      input.kind === 'message' &&
      input.message.kind === 'appendEntriesReply'
    ) {
      const isOnQuorum = isQuorum(raft.configuration, (member) => this.#match(server, member) > commitIndex);
      this.#note('old-term entries on a quorum, not committed by that', isOnQuorum);
    }
  }

  #match({ raft }: SightedServer, member: MemberId): Index {
    const { leadership, durability } = raft.state;
    const progress = leadership?.progress.find((each) => each.id === member);
    return progress?.match ?? durability.durableIndex;
  }

  onOutput(id: MemberId, output: Output): void {
    const server = this.#servers.get(id);
    if (server === undefined) return;
    if (output.persist !== null) this.#persist(server, output.persist, output);
    for (const { outcome } of output.transfers) {
      this.#note('leadership transfer done', outcome === 'done');
      this.#note('change or transfer refused because the version is too old', outcome === 'versionTooOld');
    }
    for (const { refused } of output.changes)
      this.#note('change or transfer refused because the version is too old', refused === 'versionTooOld');
    for (const event of output.events) {
      if (event.kind === 'truncated') this.#note('several entries truncated at once', event.to > event.from);
      else if (event.kind === 'repaired') this.#note('faulty entry repaired');
      else if (event.kind === 'foreignIncarnation') {
        this.#note('another incarnation not counted', event.bound !== null);
      } else if (event.kind === 'configuration') this.#noteConfiguration(server, event.configuration, output);
      else if (event.kind === 'vote' && event.pre && !event.granted) {
        const isProtected = event.reason === 'a leader was heard from' || event.reason === 'this server leads';
        this.#note('pre-vote refused because of a live leader', isProtected);
      }
    }
    for (const read of output.reads)
      this.#note('read pending when leadership is lost', read.refused === 'leadershipLost');
    for (const { id: proposal, unknown } of output.proposals) {
      if (unknown) this.#rememberUnknown(server.proposals.get(proposal) ?? []);
      server.proposals.delete(proposal);
    }
    server.look();
  }

  #persist(server: SightedServer, batch: PersistBatch, { events }: Output): void {
    server.hand(batch);
    if (batch.snapshot === null) return;
    this.#note('snapshot installed');
    this.#note(
      'snapshot installed over a diverged log',
      events.some((event) => event.kind === 'truncated'),
    );
  }

  #rememberUnknown(commands: readonly Uint8Array[]): void {
    for (const command of commands) {
      if (this.#unknown.size >= maxUnknown) this.#unknown.clear();
      this.#unknown.add(hashBytes(command));
      this.#unknownLengths.add(command.length);
    }
  }

  #noteConfiguration(server: SightedServer, configuration: Configuration, { events }: Output): void {
    const { index, members, outgoing, target, version, protocol } = configuration;
    this.#note(
      'incarnation bound',
      members.some((member) => member.incarnation !== null),
    );
    this.#note('newcomer waits until it has caught up', target !== null && outgoing.length === 0);
    this.#note('server that lost its disk let in again', (target?.successors.length ?? 0) > 0);
    this.#note('two halves decide together', outgoing.length > 0);
    this.#note('change of membership over', version > 0 && target === null && outgoing.length === 0);
    const isCut = index < server.configurationIndex && events.some(({ kind }) => kind === 'truncated');
    this.#note('change of membership truncated', isCut && version < server.configurationVersion);
    const isMade = server.raft.role === 'leader' && index > server.configurationIndex;
    this.#note('version of the protocol raised', isMade && protocol > server.configurationProtocol);
    this.#note('raised version truncated', isCut && protocol < server.configurationProtocol);
    server.configurationProtocol = protocol;
    server.configurationIndex = index;
    server.configurationVersion = version;
  }

  onRemoved(): void {
    this.#note('former life comes back, and is told');
  }

  onSend(): void {
    // What leaves was handed out before, in `onOutput`.
  }

  onApply(_id: MemberId, { data }: AppliedEntry): void {
    if (this.#unknown.size === 0 || !this.#unknownLengths.has(data.length)) return;
    this.#note('proposal of unknown outcome applied', this.#unknown.delete(hashBytes(data)));
  }

  onRestore(): void {
    // Counted where it is decided: in the batch that installs the snapshot.
  }

  onCrash(id: MemberId): void {
    const server = this.#servers.get(id);
    if (server === undefined) return;
    this.#note('crash with a batch on its way', server.isRunning && server.pending.length > 0);
    server.isRunning = false;
  }

  onFatal(id: MemberId): void {
    const server = this.#servers.get(id);
    if (server === undefined) return;
    this.#note('failed sync ends a server', server.hasFailedSync);
    server.isRunning = false;
  }

  onDamage(): void {
    // Counted by the disk itself.
  }

  onDiskFault(id: MemberId, kind: DiskFaultKind): void {
    this.#note('torn batch', kind === 'crashTorn');
    this.#note('disk full', kind === 'full');
    const server = this.#servers.get(id);
    if (server !== undefined && kind === 'syncError') server.hasFailedSync = true;
  }

  #note(situation: Situation, isSeen = true): void {
    if (!isSeen) return;
    const name = `seen ${situation}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}

/** Situations that none of many runs got into, given their counts. */
export function neverSeen(counts: ReadonlyMap<string, number>): readonly Situation[] {
  return situations.filter((situation) => (counts.get(`seen ${situation}`) ?? 0) === 0);
}
