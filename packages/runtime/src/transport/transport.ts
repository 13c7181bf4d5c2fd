import type { Incarnation, Index, InstallSnapshot, MemberId, Message, Micros, Term, Version } from '@quorate/raft';
import { EntriesEncoder } from '../codec/entries-codec.ts';
import type { Environment, Listener, TimerHandle } from '../environment.ts';
import type { Observer } from '../observer.ts';
import type { RaftStorage, StorageError } from '../storage.ts';
import { Complaints } from './complaints.ts';
import type { TransportContext } from './context.ts';
import type { LeaseTerms, LocalIdentity, Refusal, VersionRange } from './handshake.ts';
import { InboundConnections, type InboundHost } from './inbound.ts';
import { Peer, type PeerStatus } from './peer.ts';
import type { TransportLimits } from './protocol.ts';
import { SnapshotSender } from './snapshot-sender.ts';
import { SnapshotTurns } from './snapshot-turns.ts';

/** How long a peer that got a snapshot may take to restore it and ask for the log behind it. Microseconds. */
const restoreGrace = 30_000_000;

/** What the transport needs of a running node. */
export interface TransportHost {
  readonly storage: RaftStorage;
  /** The term that is durable here. */
  durableTerm(): Term;
  /** The version of the protocol in use. */
  versionInUse(): Version;
  boundIncarnation(member: MemberId): Incarnation | null;
  /** That life of the member has left the cluster for good. */
  isFormer(member: MemberId, incarnation: Incarnation): boolean;
  /** A peer says so of this server. */
  onRemoved(reason: string): void;
  /** Whether a snapshot at `index` would change anything here. */
  needsSnapshot(index: number): boolean;
  /** A received snapshot is not durably installed and restored yet. */
  isInstalling(): boolean;
  onMessage(message: Message): void;
  onUnreachable(peer: MemberId): void;
  /** Nobody listens any more where the peer was. */
  onGone(peer: MemberId): void;
  onSnapshotSent(peer: MemberId, delivered: boolean): void;
  onStorageError(error: StorageError): void;
}

/** Who keeps the lives of founding members (known-lives.ts). */
export interface Registry {
  lifeOf(member: MemberId): Incarnation | null;
  whyUnsure(): string | null;
  /** `done` is called with a problem, or with null when a life of the member is durable: this one, or one that was before it. */
  register(member: MemberId, incarnation: Incarnation, done: (problem: string | null) => void): void;
}

/** All connections of one node: a listener, one outgoing connection a peer, snapshot streams apart. */
export class Transport {
  readonly context: TransportContext;
  readonly #inbound: InboundConnections;
  readonly #peers = new Map<MemberId, Peer>();
  readonly #senders = new Map<MemberId, SnapshotSender>();
  readonly #turns = new SnapshotTurns((callback) => this.context.environment.timers.afterPoll(callback));
  /** The last snapshot that each peer got. */
  readonly #delivered = new Map<MemberId, { readonly index: Index; readonly at: Micros }>();
  readonly #runs = new EntriesEncoder();
  /** Who has something to send, in the order in which it came. */
  #unsent: Peer[] = [];
  #host: TransportHost | null = null;
  #registry: Registry | null = null;
  #listener: Listener | null = null;
  #watch: TimerHandle | null = null;
  #intake: { readonly term: Term; readonly interrupt: () => void } | null = null;
  #isClosed = false;
  /** Where the peers of this server reach it; empty while it is no member. */
  #address = '';
  /** Whom the configuration names. */
  #contacts: ReadonlySet<MemberId> = new Set();
  /**
   * Who speaks to this server and has said where it is. A leader must get its answers, also from a server whose configuration does not
   * name it yet, or no longer.
   */
  readonly #acquainted = new Set<MemberId>();

  constructor(
    environment: Environment,
    identity: LocalIdentity,
    { leases, release }: { readonly leases: LeaseTerms; readonly release: VersionRange },
    limits: TransportLimits,
    observer: Observer,
  ) {
    const complaints = new Complaints(environment);
    const versions = (): VersionRange => {
      return { min: Math.max(release.min, this.#host?.versionInUse() ?? 0), max: release.max };
    };
    this.context = { environment, identity, leases, versions, limits, observer, complaints, watched: new Set() };
    this.#inbound = new InboundConnections(this.context, this.#inboundHost());
    this.#watchConnections();
  }

  /** Starts to accept. Until `start`, only questions of fresh servers are answered. */
  listen(address: string, done: (error: string | null, boundAddress: string) => void): void {
    this.#listener = this.context.environment.network.listen(address, {
      onListening: (boundAddress) => done(null, boundAddress),
      onError: (reason) => done(reason, address),
      onConnection: (connection) => this.#inbound.accept(connection),
    });
  }

  /** From here on members that begin can have that written down. */
  keep(registry: Registry): void {
    this.#registry = registry;
  }

  /** From here on messages flow. */
  start(host: TransportHost): void {
    this.#host = host;
  }

  /** Connects to all of them, and forgets everyone else who does not speak to this server. */
  configure(contacts: readonly MemberId[], addressOf: (id: MemberId) => string | null): void {
    this.#address = addressOf(this.context.identity.member) ?? '';
    const wanted = new Map<MemberId, string>();
    for (const id of contacts) {
      const address = addressOf(id);
      if (id !== this.context.identity.member && address !== null) wanted.set(id, address);
    }
    this.#contacts = new Set(wanted.keys());
    for (const [id, peer] of this.#peers) {
      // Who is only answered from here on hears that too, or the two would hold on to each other.
      if (wanted.has(id) || this.#acquainted.has(id)) peer.update(wanted.get(id) ?? peer.address);
      else this.#removePeer(id, peer);
    }
    for (const [id, address] of wanted) if (!this.#peers.has(id)) this.#addPeer(id, address);
  }

  /** A configuration is committed: whoever has left the cluster is told when it connects again. */
  dismissFormer(): void {
    this.#inbound.closeFormer();
  }

  /** Another version is in use: whoever does not speak it is told so when it connects again. */
  dismissOlder(): void {
    this.#inbound.closeOlder();
    for (const peer of this.#peers.values()) peer.leaveOlder();
  }

  /**
   * Takes a message for the next `flush`. Never blocks. False if it was dropped at once: then it certainly never leaves. True
   * promises nothing.
   */
  send(message: Message): boolean {
    if (this.#isClosed) return false;
    const peer = this.#peers.get(message.to);
    if (message.kind === 'installSnapshot') {
      this.#sendSnapshot(message, peer);
      return true;
    }
    // What a peer that is still connecting holds it sends by itself, as soon as it may.
    const isKnown = peer?.hasUnsent ?? false;
    if (peer === undefined || !peer.send(message)) return false;
    if (!isKnown) this.#unsent.push(peer);
    return true;
  }

  /** Hands over what `send` gathered: one run of bytes a peer. */
  flush(): void {
    if (this.#unsent.length === 0) return;
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const peer of unsent) peer.flush();
  }

  /**
   * The lowest snapshot that is on its way to a peer, or arrived a moment ago: the log behind it is about to be asked for. Null if
   * there is none.
   */
  snapshotFloor(): Index | null {
    const now = this.context.environment.clock.now();
    let floor = Number.POSITIVE_INFINITY;
    for (const sender of this.#senders.values()) floor = Math.min(floor, sender.index);
    for (const [peer, { index, at }] of this.#delivered) {
      if (now - at > restoreGrace) this.#delivered.delete(peer);
      else floor = Math.min(floor, index);
    }
    return floor === Number.POSITIVE_INFINITY ? null : floor;
  }

  peers(): readonly PeerStatus[] {
    return [...this.#peers.values()].map((peer) => peer.status());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener?.close();
    this.#inbound.close();
    for (const peer of this.#peers.values()) peer.close();
    for (const sender of this.#senders.values()) sender.cancel();
    if (this.#watch !== null) this.context.environment.timers.clear(this.#watch);
  }

  #addPeer(id: MemberId, address: string): void {
    const host = {
      durableTerm: () => this.#host?.durableTerm() ?? 0,
      onUnreachable: (peer: MemberId) => {
        if (!this.#isClosed) this.#host?.onUnreachable(peer);
      },
      onGone: (peer: MemberId) => {
        if (!this.#isClosed) this.#host?.onGone(peer);
      },
      onRemoved: (reason: string) => {
        if (!this.#isClosed) this.#host?.onRemoved(reason);
      },
      ownAddress: (peer: MemberId) => (this.#contacts.has(peer) ? this.#address : ''),
    };
    this.#peers.set(id, new Peer(this.context, host, this.#runs, id, address));
  }

  #removePeer(id: MemberId, peer: Peer): void {
    peer.close();
    this.#unsent = this.#unsent.filter((each) => each !== peer);
    this.#senders.get(id)?.cancel();
    this.#senders.delete(id);
    this.#peers.delete(id);
  }

  #sendSnapshot(message: InstallSnapshot, peer: Peer | undefined): void {
    const host = this.#host;
    const running = this.#senders.get(message.to);
    // The stream under way already brings the newest snapshot; a later term needs a stream that speaks for it.
    if (host === null || (running !== undefined && running.term === message.term)) return;
    running?.cancel();
    if (peer === undefined) {
      this.#senders.delete(message.to);
      this.context.environment.timers.afterPoll(() => host.onSnapshotSent(message.to, false));
      return;
    }
    const sender = new SnapshotSender(
      this.context,
      this.#turns,
      {
        openSnapshot: (done) => host.storage.openSnapshot(done),
        onStorageError: (error) => host.onStorageError(error),
        onSnapshotSent: (delivered) => {
          if (this.#senders.get(message.to) === sender) this.#senders.delete(message.to);
          if (delivered) {
            this.#delivered.set(message.to, { index: sender.index, at: this.context.environment.clock.now() });
          }
          if (!this.#isClosed) host.onSnapshotSent(message.to, delivered);
        },
      },
      peer.address,
      message,
    );
    this.#senders.set(message.to, sender);
  }

  #register(member: MemberId, incarnation: Incarnation, done: (refusal: Refusal | null) => void): void {
    const self = this.context.identity.member;
    if (this.#registry === null) {
      done({ code: 'starting', reason: `Server ${self} has no data directory yet. Try again shortly.` });
      return;
    }
    this.#registry.register(member, incarnation, (problem) => {
      const reason = `Server ${self} cannot write down that member ${member} begins: ${problem ?? ''}.`;
      done(problem === null ? null : { code: 'busy', reason });
    });
  }

  #inboundHost(): InboundHost {
    const isBound = (member: MemberId): boolean => (this.#host?.boundIncarnation(member) ?? null) !== null;
    return {
      isStarted: () => this.#host !== null && !this.#isClosed,
      durableTerm: () => this.#host?.durableTerm() ?? 0,
      knownIncarnation: (member) => this.#host?.boundIncarnation(member) ?? this.#registry?.lifeOf(member) ?? null,
      whyUnsure: (member) => (isBound(member) ? null : (this.#registry?.whyUnsure() ?? null)),
      register: (member, incarnation, done) => this.#register(member, incarnation, done),
      isFormer: (member, incarnation) => this.#host?.isFormer(member, incarnation) ?? false,
      onMessage: (message) => {
        if (!this.#isClosed) this.#host?.onMessage(message);
      },
      onAcquainted: (member, address) => {
        if (this.#isClosed) return;
        this.#acquainted.add(member);
        if (!this.#peers.has(member)) this.#addPeer(member, address);
      },
      onParted: (member) => {
        this.#acquainted.delete(member);
        const peer = this.#peers.get(member);
        if (peer !== undefined && !this.#isClosed && !this.#contacts.has(member)) this.#removePeer(member, peer);
      },
      needsSnapshot: (metadata) => this.#host?.needsSnapshot(metadata.index) ?? false,
      isInstalling: () => this.#host?.isInstalling() ?? false,
      claimIntake: (term, interrupt) => this.#claimIntake(term, interrupt),
      releaseIntake: (interrupt) => {
        if (this.#intake?.interrupt === interrupt) this.#intake = null;
      },
      receiveSnapshot: (metadata, totalBytes, done) => this.#host?.storage.receiveSnapshot(metadata, totalBytes, done),
      onStorageError: (error) => this.#host?.onStorageError(error),
    };
  }

  #claimIntake(term: Term, interrupt: () => void): boolean {
    const holder = this.#intake;
    if (holder !== null && holder.term > term) return false;
    this.#intake = { term, interrupt };
    holder?.interrupt();
    return true;
  }

  #watchConnections(): void {
    const { environment, limits, watched } = this.context;
    this.#watch = environment.timers.set(limits.keepaliveInterval, () => {
      const now = environment.clock.now();
      for (const connection of watched) connection.check(now);
      if (!this.#isClosed) this.#watchConnections();
    });
  }
}
