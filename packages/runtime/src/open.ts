/**
 * From options to a node that takes part: hold the directory, open what it holds or found it, listen, ask the peers if it is
 * fresh, restore the state machine. One step after the other; whatever fails undoes the steps before it.
 */
import {
  type Configuration,
  type HardState,
  InvariantViolation,
  initialConfiguration,
  isFormer,
  type Member,
  type MemberId,
  Raft,
} from '@quorate/raft';
import { deriveClusterId } from './cluster-id.ts';
import { drawHex16 } from './draw.ts';
import { Emitter } from './emitter.ts';
import { isUntried, otherLife, registryOf } from './enrolment.ts';
import { describe, RaftError } from './errors.ts';
import { LateAnswers } from './late-answers.ts';
import { Loop, type LoopHooks } from './loop/loop.ts';
import { type Restored, restoreNewestSnapshot, storageFailed } from './loop/restore.ts';
import { type FoundingMember, noCandidate, type RaftNodeOptions, type Settings, settle } from './node-options.ts';
import { silentObserver } from './observer.ts';
import type { NodeEvents, NodeParts } from './raft-node.ts';
import { openStorage } from './open-storage.ts';
import type { OpenedStorage, RaftStorage, StorageCreation, StorageError, StorageIdentity } from './storage.ts';
import { Purpose } from './transport/protocol.ts';
import { askPeers, type Finding } from './transport/question.ts';
import { Transport } from './transport/transport.ts';
import { unspokenVersion } from './unspoken-version.ts';

type Done = (outcome: NodeParts | RaftError) => void;

/** Opens a node. `done` is called once; the returned function gives up and reports why. */
export function openNode(options: RaftNodeOptions, done: Done): (reason: RaftError) => void {
  const opening = new Opening(options, done);
  options.environment.timers.afterPoll(() => opening.begin());
  return (reason) => opening.fail(reason);
}

class Opening {
  readonly #options: RaftNodeOptions;
  readonly #done: Done;
  readonly #settings: Settings | RaftError;
  #isOver = false;
  /** Undoes what was begun, newest first. */
  readonly #undo: (() => void)[] = [];
  #storage: RaftStorage | null = null;
  #listenAddress = '';

  constructor(options: RaftNodeOptions, done: Done) {
    this.#options = options;
    this.#done = done;
    this.#settings = settleOrRefuse(options);
  }

  begin(): void {
    const settings = this.#settings;
    if (settings instanceof RaftError) this.fail(settings);
    else this.#openStorage(null, (opened) => this.#onDirectory(settings, opened));
  }

  fail(error: RaftError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const undo of this.#undo.reverse()) undo();
    // The storage closes the disk; without a storage it is ours to close. Either way the directory is free when we answer.
    const release = this.#storage ?? this.#options.environment.disk;
    release.close(() => this.#done(error));
  }

  #openStorage(creation: StorageCreation | null, next: (opened: OpenedStorage | null) => void): void {
    const { environment } = this.#options;
    const onOpened = (error: StorageError | null, opened: OpenedStorage | null): void => {
      if (this.#isOver) opened?.storage.close(() => undefined);
      else if (error !== null) this.fail(openingError(error));
      else {
        this.#storage = opened?.storage ?? null;
        next(opened);
      }
    };
    try {
      openStorage(environment, creation, this.#options.storage ?? {}, onOpened);
    } catch (error) {
      this.fail(new RaftError('InvalidOptions', describe(error), { cause: error }));
    }
  }

  /** What the directory held: a life that goes on, or nothing. */
  #onDirectory(settings: Settings, opened: OpenedStorage | null): void {
    const identity = opened?.identity ?? this.#newIdentity(settings);
    const foreign = opened === null ? null : this.#whyForeign(identity, settings);
    if (foreign !== null) {
      this.fail(new RaftError('WrongCluster', foreign));
      return;
    }
    const unspoken = opened === null ? null : unspokenVersion(configurationOf(opened), settings.raft.release);
    if (unspoken !== null) {
      this.fail(unspoken);
      return;
    }
    const { environment, observer = silentObserver } = this.#options;
    const { leaseReads, electionTimeoutMin, release } = settings.raft;
    const terms = { leases: { leaseReads, electionTimeoutMin }, release };
    const transport = new Transport(environment, identity, terms, settings.transport, observer);
    this.#undo.push(() => transport.close());
    transport.listen(this.#options.listen, (error, address) => {
      if (this.#isOver) return;
      if (error !== null) {
        const message = `Cannot listen for peers on ${this.#options.listen}: ${error}. Free the address or choose another.`;
        this.fail(new RaftError('ListenFailed', message));
        return;
      }
      this.#listenAddress = address;
      if (opened === null) this.#found(settings, identity, transport);
      else this.#enrol(settings, opened, transport);
    });
  }

  #newIdentity(settings: Settings): StorageIdentity {
    const { environment, id, initialCluster, clusterName = 'quorate' } = this.#options;
    return {
      clusterId: this.#options.clusterId ?? deriveClusterId(clusterName, initialCluster),
      group: settings.raft.group,
      member: id,
      incarnation: drawHex16(environment.random),
    };
  }

  #whyForeign(identity: StorageIdentity, settings: Settings): string | null {
    const { id, clusterId } = this.#options;
    if (identity.member !== id) {
      return `The data directory belongs to member ${identity.member}, not to ${id}. Give this member a directory of its own.`;
    }
    if (clusterId !== undefined && identity.clusterId !== clusterId) {
      return (
        `The data directory belongs to cluster ${identity.clusterId}, not to ${clusterId}. ` +
        'Give each cluster a directory of its own.'
      );
    }
    if (identity.group !== settings.raft.group) {
      return `The data directory belongs to group ${identity.group}, not to group ${settings.raft.group}.`;
    }
    return null;
  }

  /** A fresh directory. */
  #found(settings: Settings, identity: StorageIdentity, transport: Transport): void {
    const { environment, initialClusterState = 'new' } = this.#options;
    if (initialClusterState === 'existing') {
      environment.logger.log(
        'warn',
        'this data directory is empty and its cluster exists already: the server waits, without a vote, until the cluster ' +
          'adds it as a member. If it lost its disk, the cluster has to readmit the member with this directory.',
        { member: identity.member },
      );
      this.#create(settings, identity, transport, initialConfiguration([], [], settings.raft.release.min), {
        term: 0,
        vote: null,
      });
      return;
    }
    const stopAsking = askPeers(transport.context, this.#otherFounders(identity), Purpose.question, (finding) =>
      this.#onFinding(settings, identity, transport, finding),
    );
    this.#undo.push(stopAsking);
  }

  #otherFounders({ member }: StorageIdentity): readonly FoundingMember[] {
    return this.#options.initialCluster.filter(({ id }) => id !== member);
  }

  #onFinding(settings: Settings, identity: StorageIdentity, transport: Transport, finding: Finding): void {
    if (this.#isOver) return;
    if (finding.kind === 'alreadyRan') {
      const message =
        `Member ${identity.member} has already run in this cluster (server ${finding.peer} knows it), but its data directory is ` +
        'empty. To come back without its data it would have to break promises that it gave. Restore the directory; or ' +
        "start it with the cluster state 'existing' and have the cluster readmit it (quorate serve --join does both).";
      this.fail(new RaftError('MemberAlreadyRan', message));
      return;
    }
    // Others have voted already, and an earlier life of this member may have been among them: it has no vote left there.
    const hardState = finding.term > 0 ? { term: finding.term, vote: noCandidate } : { term: 0, vote: null };
    const configuration = this.#foundingConfiguration(settings);
    this.#create(settings, identity, transport, configuration, hardState);
  }

  #foundingConfiguration({ raft }: Settings): Configuration {
    const founders = this.#options.initialCluster.map(({ id, address, context }) => ({
      id,
      incarnation: null,
      context: context ?? address,
    }));
    return initialConfiguration(founders, [], raft.release.min);
  }

  #create(
    settings: Settings,
    identity: StorageIdentity,
    transport: Transport,
    configuration: Configuration,
    hardState: HardState,
  ): void {
    this.#openStorage({ identity, configuration, hardState }, (opened) => {
      if (opened !== null) this.#enrol(settings, opened, transport);
      else this.fail(new RaftError('InternalError', 'The data directory was created but is not there.'));
    });
  }

  /** A founding member that may not have taken part in anything yet has others write down that it begins. */
  #enrol(settings: Settings, opened: OpenedStorage, transport: Transport): void {
    const founders = this.#options.initialCluster.map(({ id }) => id);
    transport.keep(registryOf(opened.lives, founders));
    const others = this.#otherFounders(opened.identity);
    if (!isUntried(opened) || others.length === 0) {
      this.#restore(settings, opened, transport);
      return;
    }
    const stopAsking = askPeers(transport.context, others, Purpose.registration, (finding) => {
      if (this.#isOver) return;
      if (finding.kind === 'fresh') this.#enrolled(settings, opened, transport);
      else this.fail(otherLife(opened.identity, finding.peer));
    });
    this.#undo.push(stopAsking);
  }

  /** Noted here as well, so that no later start waits for others: they may be gone by then. */
  #enrolled(settings: Settings, opened: OpenedStorage, transport: Transport): void {
    const { member, incarnation } = opened.identity;
    opened.lives.remember(member, incarnation, (answer) => {
      if (this.#isOver) return;
      if ('problem' in answer) {
        const what = 'that others know of this member is not noted, so it will ask them again when it starts anew';
        this.#options.environment.logger.log('warn', `${what}: ${answer.problem}`);
      }
      this.#restore(settings, opened, transport);
    });
  }

  /** The directory is open: bring the state machine to the newest snapshot. */
  #restore(settings: Settings, opened: OpenedStorage, transport: Transport): void {
    const { environment, stateMachine } = this.#options;
    const { recovered, storage } = opened;
    for (const note of opened.notes) environment.logger.log('warn', note);
    const snapshotIndex = recovered.snapshot.index;
    const applied = stateMachine.kind === 'durable' ? stateMachine.appliedIndex() : 0;
    if (applied > recovered.lastIndex && applied > snapshotIndex) {
      const message =
        `The state machine has applied entry ${applied}, but the log ends at ${recovered.lastIndex}: they do not belong ` +
        'together. Restore both from the same time, or remove the member and add it anew.';
      this.fail(new RaftError('StateMachineFailed', message));
      return;
    }
    if (snapshotIndex === 0 || applied >= snapshotIndex) {
      this.#start(settings, opened, transport, Math.max(applied, snapshotIndex), { index: snapshotIndex, bytes: 0 });
      return;
    }
    restoreNewestSnapshot(storage, stateMachine, (error, restored) => {
      if (this.#isOver) return;
      if (error !== null && isDamagedSnapshot(error) && this.#hasHelp(opened)) {
        // Its place is taken by the leader's; until then nothing is applied.
        const message = 'the newest snapshot is damaged on disk; another server is asked for one';
        environment.logger.log('error', message, { index: snapshotIndex, damage: error.message });
        this.#start(settings, opened, transport, applied, { index: snapshotIndex, bytes: 0 });
      } else if (error !== null) this.fail(error);
      else if (restored === null || restored.index !== snapshotIndex) {
        this.fail(new RaftError('InternalError', `The snapshot at index ${snapshotIndex} was found but is not there.`));
      } else this.#start(settings, opened, transport, restored.index, restored);
    });
  }

  /** Whether another server may have what this one's disk has lost: one of those that could lead it. */
  #hasHelp(opened: OpenedStorage): boolean {
    return configurationOf(opened).voters.some((voter) => voter !== opened.identity.member);
  }

  #start(settings: Settings, opened: OpenedStorage, transport: Transport, applied: number, snapshot: Restored): void {
    const { environment, stateMachine, observer = silentObserver, watcher = null } = this.#options;
    const { identity, storage } = opened;
    const recovered = { ...opened.recovered, applied };
    const damaged = recovered.faulty.length;
    if (damaged > 0) {
      environment.logger.log('error', `${damaged} entries are damaged on disk; the other servers are asked for them`, {
        damaged,
        first: recovered.faulty[0]?.index ?? null,
      });
    }
    let raft: Raft;
    try {
      const raftOptions = { ...settings.raft, id: identity.member, incarnation: identity.incarnation };
      raft = new Raft(raftOptions, recovered);
      watcher?.onStart({ options: raftOptions, recovered, raft });
    } catch (error) {
      this.fail(startError(error));
      return;
    }
    const events = new Emitter<NodeEvents>((error) => {
      // The embedder's bug, not ours: it surfaces as an uncaught exception, but outside the loop.
      environment.timers.afterPoll(() => {
        throw error;
      });
    });
    let onFatal: (error: RaftError) => void = () => undefined;
    const hooks = this.#hooks(raft, settings, transport, events, (error) => onFatal(error));
    const loop = new Loop({
      environment,
      settings,
      observer,
      watcher,
      raft,
      storage,
      stateMachine,
      transport,
      durableTerm: recovered.hardState.term,
      applied,
      snapshot,
      hooks,
    });
    this.#isOver = true;
    this.#connect(transport, raft.contacts);
    this.#done({
      environment,
      identity,
      listenAddress: this.#listenAddress,
      loop,
      storage,
      transport,
      events,
      onFatal: (handler) => {
        onFatal = handler;
      },
    });
  }

  #hooks(
    raft: Raft,
    settings: Settings,
    transport: Transport,
    events: Emitter<NodeEvents>,
    onFatal: (error: RaftError) => void,
  ): LoopHooks {
    const { logger } = this.#options.environment;
    const lateAnswers = new LateAnswers(logger, settings.raft.electionTimeoutMin, settings.raft.electionTimeoutMax);
    let isRemoved = false;
    const onRemoved = (reason: string): void => {
      if (isRemoved) return;
      isRemoved = true;
      logger.log('warn', `this server belongs to the cluster no more: ${reason}`);
      events.emit('removed', { reason });
    };
    let settledAt = raft.configuration.index;
    let inUse = raft.versionInUse;
    return {
      onApplied: (index) => {
        const { configuration } = raft;
        if (configuration.index !== settledAt && configuration.index <= index) {
          settledAt = configuration.index;
          this.#connect(transport, raft.contacts);
          transport.dismissFormer();
          const { member, incarnation } = transport.context.identity;
          if (isFormer(configuration, member, incarnation)) onRemoved('a change of membership removed it.');
        }
        if (raft.versionInUse !== inUse) {
          inUse = raft.versionInUse;
          logger.log('info', `every member speaks version ${inUse} of the protocol: it is in use from here on`, {
            inUse,
          });
          transport.dismissOlder();
        }
        events.emit('applied', index);
      },
      onRemoved,
      onFatal,
      onEvent: (event) => {
        switch (event.kind) {
          case 'role':
            logger.log('info', `${event.role} in term ${event.term}: ${event.reason}`, { term: event.term });
            events.emit('role', event);
            return;
          case 'leader':
            if (event.leader !== null) lateAnswers.onLeader();
            events.emit('leader', event);
            return;
          case 'configuration':
            this.#connect(transport, raft.contacts);
            events.emit('members', raft.configuration);
            return;
          case 'lateAnswer':
            lateAnswers.onLateAnswer();
            break;
          case 'violation':
            logger.log('error', `peer ${event.peer} broke the protocol: ${event.reason}`, { peer: event.peer });
            break;
          case 'foreignIncarnation':
            logger.log('error', foreignText(event.member, event.bound, event.seen), { member: event.member });
            break;
          case 'faulty':
            logger.log('error', `entry ${event.index} is damaged on disk; the other servers are asked for it`, {
              index: event.index,
            });
            break;
          case 'repaired':
            logger.log('info', `entry ${event.index} is whole again`, { index: event.index });
            break;
          default:
            break;
        }
        events.emit('raft', event);
      },
    };
  }

  /** A server that waits to be let in knows no members yet, but where some are: it must be able to answer them. */
  #connect(transport: Transport, contacts: readonly Member[]): void {
    const { initialCluster, peerAddress } = this.#options;
    const isWaiting = contacts.length === 0;
    const known = isWaiting ? initialCluster.map(({ id }) => id) : contacts.map(({ id }) => id);
    const addressOf = (id: MemberId): string | null => {
      if (isWaiting) return initialCluster.find((it) => it.id === id)?.address ?? null;
      const member = contacts.find((it) => it.id === id);
      if (member === undefined) return null;
      return peerAddress === undefined ? member.context : peerAddress(member);
    };
    transport.configure(known, addressOf);
  }
}

function settleOrRefuse(options: RaftNodeOptions): Settings | RaftError {
  try {
    return settle(options);
  } catch (error) {
    return error instanceof RaftError ? error : new RaftError('InvalidOptions', describe(error), { cause: error });
  }
}

function configurationOf({ recovered }: OpenedStorage): Configuration {
  return recovered.configurations.at(-1) ?? recovered.snapshot.configuration;
}

function isDamagedSnapshot({ code, cause }: RaftError): boolean {
  return (
    code === 'StorageFailed' &&
    typeof cause === 'object' &&
    cause !== null &&
    'code' in cause &&
    cause.code === 'CorruptSnapshot'
  );
}

function openingError(error: StorageError): RaftError {
  if (error.code === 'ForeignDirectory') return new RaftError('WrongCluster', error.message, { cause: error });
  return storageFailed(error);
}

function startError(error: unknown): RaftError {
  if (error instanceof InvariantViolation) {
    const message = `What the data directory holds contradicts itself: ${describe(error)}`;
    return new RaftError('StorageFailed', message, { cause: error });
  }
  return new RaftError('InvalidOptions', describe(error), { cause: error });
}

function foreignText(member: MemberId, bound: string | null, seen: string): string {
  if (bound === null) {
    return (
      `member ${member} runs on a data directory (${seen}) that has left the cluster: it neither votes nor counts. ` +
      'Stop it, and start it on an empty directory.'
    );
  }
  return (
    `member ${member} runs on a data directory (${seen}) that is not the one the cluster counts on (${bound}): it neither ` +
    'votes nor counts. Restore its directory, or readmit the member.'
  );
}
