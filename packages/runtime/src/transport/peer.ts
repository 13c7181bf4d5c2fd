import type { MemberId, Message } from '@quorate/raft';
import { ByteWriter } from '../codec/byte-writer.ts';
import type { EntriesEncoder } from '../codec/entries-codec.ts';
import { beginFrame, endFrame } from '../codec/frame.ts';
import { writeMessage } from '../codec/message-codec.ts';
import { drawBetween } from '../draw.ts';
import type { TimerHandle } from '../environment.ts';
import type { TransportContext } from './context.ts';
import { helloFrom, type Refusal, type VersionRange } from './handshake.ts';
import { OutgoingConnection } from './outgoing-connection.ts';
import { FrameKind, Purpose } from './protocol.ts';

const keptScratchBytes = 256 << 10;
/** The same complaint about a peer is printed again only after this long. Microseconds. */
const complaintInterval = 30_000_000;

export interface PeerHost {
  durableTerm(): number;
  /** Messages were dropped or the connection was lost. Called later than, never inside, `send` and `flush`. */
  onUnreachable(peer: MemberId): void;
  /** The connection broke, and nobody listens at the peer's address any more. */
  onGone(peer: MemberId): void;
  /** The peer refuses this server because it has left the cluster. */
  onRemoved(reason: string): void;
  /** Where this server tells the peer that it is reached; empty if it only answers, so that the two do not hold on to each other. */
  ownAddress(peer: MemberId): string;
}

/** What a status page shows of a peer. */
export interface PeerStatus {
  readonly id: MemberId;
  readonly address: string;
  readonly connected: boolean;
  /** Versions of the protocol that it said it speaks when this server last connected to it; null if it never did. */
  readonly versions: VersionRange | null;
  readonly queuedBytes: number;
  /** Messages dropped because there was no connection or its queue was full. */
  readonly dropped: number;
  readonly lastProblem: string | null;
}

/**
 * The way to one peer: a connection that carries messages in one direction. Replies come on the connection that the peer
 * opens, so no two connections ever compete for one role. Nothing here blocks: what cannot be sent is dropped, and the core is told.
 */
export class Peer {
  readonly id: MemberId;
  readonly #context: TransportContext;
  readonly #host: PeerHost;
  readonly #runs: EntriesEncoder;
  readonly #scratch: ByteWriter;
  #address: string;
  /** Where the present connection says that this server is reached. */
  #told = '';
  #connection: OutgoingConnection | null = null;
  #versions: VersionRange | null = null;
  #outbox: Message[] = [];
  #retryTimer: TimerHandle | null = null;
  #retryDelay: number;
  #isOverflowing = false;
  #isClosed = false;
  /** An open connection broke, and no attempt since has shown why. */
  #isBroken = false;
  #welcomeAt = 0;
  #dropped = 0;
  #lastProblem: string | null = null;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor(context: TransportContext, host: PeerHost, runs: EntriesEncoder, id: MemberId, address: string) {
    this.id = id;
    this.#context = context;
    this.#host = host;
    this.#runs = runs;
    this.#scratch = new ByteWriter();
    this.#address = address;
    this.#retryDelay = context.limits.reconnectMin;
    this.#connect();
  }

  get address(): string {
    return this.#address;
  }

  get isConnected(): boolean {
    return this.#connection?.isWelcome ?? false;
  }

  status(): PeerStatus {
    return {
      id: this.id,
      address: this.#address,
      connected: this.isConnected,
      versions: this.#versions,
      queuedBytes: this.#connection?.bufferedBytes ?? 0,
      dropped: this.#dropped,
      lastProblem: this.#lastProblem,
    };
  }

  /** Something waits for `flush`. */
  get hasUnsent(): boolean {
    return this.#outbox.length > 0;
  }

  /** Takes a message for the next `flush`; false if it was dropped, because there is no way to the peer. */
  send(message: Message): boolean {
    const mayWait = this.#connection !== null && this.#outbox.length < this.#context.limits.maxConnectingMessages;
    const isTaken = this.isConnected || mayWait;
    if (isTaken) this.#outbox.push(message);
    else this.#dropped++;
    return isTaken;
  }

  /** Sends what has gathered as one run of bytes. */
  flush(): void {
    const connection = this.#connection;
    if (this.#outbox.length === 0 || connection === null || !connection.isWelcome) return;
    const messages = this.#outbox;
    this.#outbox = [];
    if (connection.bufferedBytes > this.#context.limits.maxQueuedBytes) {
      this.#overflow(messages.length);
      return;
    }
    this.#isOverflowing = false;
    for (const message of messages) {
      const start = beginFrame(this.#scratch, FrameKind.message);
      writeMessage(this.#scratch, message, this.#runs);
      endFrame(this.#scratch, start);
    }
    connection.write(this.#scratch.copy());
    this.#scratch.trim(keptScratchBytes);
  }

  /** Connects anew if the peer has moved, or is to hear of another address of this server than it was told. */
  update(address: string): void {
    const isCurrent = address === this.#address && this.#told === this.#host.ownAddress(this.id);
    this.#address = address;
    if (isCurrent || this.#connection === null) return;
    this.#connection.destroy();
    this.#lost('address changed');
  }

  /** What the cluster uses now it must not be sent, if it does not speak it. */
  leaveOlder(): void {
    const inUse = this.#context.versions().min;
    if (this.#connection === null || !this.isConnected || (this.#versions?.max ?? inUse) >= inUse) return;
    this.#connection.destroy();
    this.#lost(`its server does not speak version ${inUse}`);
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.destroy();
    this.#connection = null;
    if (this.#retryTimer !== null) this.#context.environment.timers.clear(this.#retryTimer);
    this.#retryTimer = null;
  }

  #connect(): void {
    this.#told = this.#host.ownAddress(this.id);
    const hello = helloFrom(this.#context, this.id, Purpose.messages, this.#host.durableTerm(), this.#told);
    this.#connection = new OutgoingConnection(this.#context, this.#address, hello, {
      onWelcome: ({ versions }) => this.#onWelcome(versions),
      onFrame: (kind) => `unexpected frame ${kind}`,
      onDrain: () => undefined,
      onClosed: (reason, refusal, isRefused) => this.#onClosed(reason, refusal, isRefused),
    });
  }

  /** One that breaks as soon as it is open is not tried again in haste. */
  #hasLasted(): boolean {
    return this.#context.environment.clock.now() - this.#welcomeAt >= this.#context.limits.reconnectMin;
  }

  #onWelcome(versions: VersionRange): void {
    this.#versions = versions;
    this.#welcomeAt = this.#context.environment.clock.now();
    this.#retryDelay = this.#context.limits.reconnectMin;
    this.#isBroken = false;
    this.#lastProblem = null;
    this.#complainedAt = Number.NEGATIVE_INFINITY;
    this.#context.environment.logger.log('info', 'connected to peer', { peer: this.id, address: this.#address });
    this.#debug('connected');
    this.flush();
  }

  #onClosed(reason: string, refusal: Refusal | null, isRefused: boolean): void {
    this.#complain(reason, refusal);
    const isGone = this.#isBroken && isRefused;
    // A process that dies breaks its connections: at once is the time to look whether anybody still listens.
    const isBreaking = this.isConnected;
    this.#isBroken = isBreaking || (this.#isBroken && !isRefused);
    // A refusal is a matter for a person, not for haste; a server that is only starting will be ready in a moment.
    if (refusal !== null && refusal.code !== 'starting') this.#retryDelay = this.#context.limits.reconnectMax;
    this.#lost(reason, isBreaking && this.#hasLasted() ? 0 : null);
    if (isGone) this.#host.onGone(this.id);
    if (refusal?.code === 'removed') this.#host.onRemoved(refusal.reason);
  }

  /** `delay`: until the next attempt; null for the usual one. */
  #lost(reason: string, delay: number | null = null): void {
    const wasOpen = this.isConnected;
    this.#connection = null;
    this.#dropped += this.#outbox.length;
    const hadMessages = this.#outbox.length > 0;
    this.#outbox = [];
    this.#debug(`closed: ${reason}`);
    if (wasOpen || hadMessages) this.#host.onUnreachable(this.id);
    this.#retryLater(delay);
  }

  #retryLater(given: number | null): void {
    if (this.#isClosed || this.#retryTimer !== null) return;
    const { environment, limits } = this.#context;
    const delay = given ?? drawBetween(environment.random, this.#retryDelay >>> 1, this.#retryDelay);
    if (given === null) this.#retryDelay = Math.min(this.#retryDelay * 2, limits.reconnectMax);
    this.#retryTimer = environment.timers.set(delay, () => {
      this.#retryTimer = null;
      if (!this.#isClosed && this.#connection === null) this.#connect();
    });
  }

  #overflow(count: number): void {
    this.#dropped += count;
    if (this.#isOverflowing) return;
    this.#isOverflowing = true;
    this.#lastProblem = 'the queue is full';
    this.#context.environment.logger.log('warn', 'peer takes messages too slowly, dropping some', {
      peer: this.id,
      queuedBytes: this.#connection?.bufferedBytes,
    });
    this.#context.environment.timers.afterPoll(() => {
      if (!this.#isClosed) this.#host.onUnreachable(this.id);
    });
  }

  #complain(reason: string, refusal: Refusal | null): void {
    const problem = refusal?.reason ?? reason;
    const now = this.#context.environment.clock.now();
    const isNew = problem !== this.#lastProblem || now - this.#complainedAt > complaintInterval;
    this.#lastProblem = problem;
    if (!isNew) return;
    this.#complainedAt = now;
    const fields = { peer: this.id, address: this.#address };
    if (refusal === null) {
      this.#context.environment.logger.log('info', `no connection to peer: ${reason}`, fields);
    } else {
      const level = refusal.code === 'starting' ? 'info' : 'error';
      this.#context.environment.logger.log(level, `peer refused the connection: ${refusal.reason}`, fields);
    }
  }

  #debug(text: string): void {
    const { observer } = this.#context;
    if (observer.on.connections) observer.line('connections', `to ${this.id} at ${this.#address}: ${text}`);
  }
}
