import type { Incarnation, MemberId, Message, Term } from '@quorate/raft';
import type { ByteReader } from '../codec/byte-reader.ts';
import { FrameParser, frame } from '../codec/frame.ts';
import { type MessageRoute, readMessage } from '../codec/message-codec.ts';
import type { Connection, ConnectionHandler } from '../environment.ts';
import type { TransportContext, Watched } from './context.ts';
import { agree, type Hello, judgeHello, type Refusal, readHello, writeRefusal, writeWelcome } from './handshake.ts';
import { FrameKind, Purpose } from './protocol.ts';
import { SnapshotIntake, type SnapshotIntakeHost } from './snapshot-intake.ts';

/** What accepted connections need of the node. */
export interface InboundHost extends SnapshotIntakeHost {
  /** Whether messages are taken already; before that only questions are answered. */
  isStarted(): boolean;
  durableTerm(): Term;
  /** The life of the member that counts here, or the first one that this server was told of. */
  knownIncarnation(member: MemberId): Incarnation | null;
  /** Why nobody can be told that nothing is known of the member; null if that can be said. */
  whyUnsure(member: MemberId): string | null;
  /** Remembers that this life of the member begins, unless another did. `done` may be called at once. */
  register(member: MemberId, incarnation: Incarnation, done: (refusal: Refusal | null) => void): void;
  /** That life of the member has left the cluster for good. */
  isFormer(member: MemberId, incarnation: Incarnation): boolean;
  onMessage(message: Message): void;
  /** A peer that may send messages says where it is reached. */
  onAcquainted(member: MemberId, address: string): void;
  /** Its connection is closed. */
  onParted(member: MemberId): void;
}

/** The accepted connections, bounded in number. */
export class InboundConnections {
  readonly #context: TransportContext;
  readonly #host: InboundHost;
  readonly #all = new Set<InboundConnection>();
  /** The newest message connection of each member; an older one is a leftover and is closed. */
  readonly #speaking = new Map<MemberId, InboundConnection>();

  constructor(context: TransportContext, host: InboundHost) {
    this.#context = context;
    this.#host = host;
  }

  accept(connection: Connection): ConnectionHandler {
    if (this.#all.size >= this.#context.limits.maxInboundConnections) {
      this.#context.complaints.say('warn', 'too many peer connections, closing the newest', {
        remote: connection.remoteAddress,
        limit: this.#context.limits.maxInboundConnections,
      });
      connection.destroy();
      return ignored;
    }
    const inbound = new InboundConnection(this.#context, this.#host, connection, {
      onSpeaking: (member) => {
        this.#speaking.get(member)?.close('replaced by a newer connection of the same member');
        this.#speaking.set(member, inbound);
      },
      onClosed: (member) => {
        this.#all.delete(inbound);
        if (member === null || this.#speaking.get(member) !== inbound) return;
        this.#speaking.delete(member);
        this.#host.onParted(member);
      },
    });
    this.#all.add(inbound);
    return inbound;
  }

  close(): void {
    for (const connection of this.#all) connection.close('this server is closing');
  }

  closeFormer(): void {
    for (const connection of this.#all) if (connection.isOfFormer) connection.close('its member has left the cluster');
  }

  /** Closes those of servers that do not speak the version in use. They learn why when they connect again. */
  closeOlder(): void {
    for (const connection of this.#all) if (connection.isOlder) connection.close('its server is too old');
  }
}

interface InboundOwner {
  onSpeaking(member: MemberId): void;
  onClosed(member: MemberId | null): void;
}

/** One accepted connection: a hello, then what its purpose allows. */
class InboundConnection implements ConnectionHandler, Watched {
  readonly #context: TransportContext;
  readonly #host: InboundHost;
  readonly #connection: Connection;
  readonly #owner: InboundOwner;
  readonly #parser: FrameParser;
  readonly #openedAt: number;
  #lastHeard: number;
  #hello: Hello | null = null;
  #route: MessageRoute | null = null;
  #intake: SnapshotIntake | null = null;
  /** The highest id of a Propose that came. */
  #lastProposal = 0;
  #isClosed = false;
  /** The last frame is sent; what still comes is not looked at. */
  #isEnding = false;

  constructor(context: TransportContext, host: InboundHost, connection: Connection, owner: InboundOwner) {
    this.#context = context;
    this.#host = host;
    this.#connection = connection;
    this.#owner = owner;
    this.#openedAt = context.environment.clock.now();
    this.#lastHeard = this.#openedAt;
    this.#parser = new FrameParser(context.limits.maxHandshakeBytes, (reader) => this.#onFrame(reader));
    context.watched.add(this);
  }

  get isOfFormer(): boolean {
    return this.#hello !== null && this.#host.isFormer(this.#hello.from, this.#hello.incarnation);
  }

  get isOlder(): boolean {
    return this.#hello !== null && this.#hello.versions.max < this.#context.versions().min;
  }

  check(now: number): void {
    const { limits } = this.#context;
    const allowed = this.#route === null ? limits.handshakeTimeout : limits.keepaliveTimeout * 2;
    if (now - (this.#route === null ? this.#openedAt : this.#lastHeard) > allowed) this.close('silent for too long');
  }

  onOpen(): void {
    // Accepted connections are open from the start; there is nothing left to do.
  }

  onData(bytes: Uint8Array): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#lastHeard = this.#context.environment.clock.now();
    const reason = this.#parser.push(bytes);
    if (reason !== null && !this.#isClosed) {
      this.#context.complaints.say('warn', `closed a peer connection: ${reason}`, {
        remote: this.#connection.remoteAddress,
        peer: this.#hello?.from ?? null,
      });
      this.close(reason);
    }
  }

  onDrain(): void {
    // Only pongs and short answers go this way; nobody waits for room.
  }

  onClose(reason: string | null): void {
    this.close(reason ?? 'closed by the peer');
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.watched.delete(this);
    this.#intake?.stop();
    this.#connection.destroy();
    const { observer } = this.#context;
    if (observer.on.connections) {
      observer.line('connections', `from ${this.#hello?.from ?? this.#connection.remoteAddress}: closed: ${reason}`);
    }
    this.#owner.onClosed(this.#hello?.from ?? null);
  }

  #onFrame(reader: ByteReader): string | null {
    if (this.#isClosed || this.#isEnding) return null;
    const kind = reader.u8();
    const route = this.#route;
    if (route === null) return this.#onHello(kind, reader);
    if (kind === FrameKind.ping) {
      this.#connection.write(frame(FrameKind.pong));
      return null;
    }
    if (this.#intake !== null) return this.#intake.onFrame(kind, reader);
    if (kind !== FrameKind.message) return `unexpected frame of kind ${kind}`;
    const message = readMessage(reader, route);
    if (message === null) return 'malformed message';
    // Snapshots come with their bytes on a connection of their own.
    if (message.kind === 'installSnapshot') return 'installSnapshot among messages';
    if (!this.#isRepeated(message)) this.#host.onMessage(message);
    return null;
  }

  /**
   * Commands are carried once. What was refused and came a second time would take effect although its refusal was definite, and
   * what was appended would be appended again. Ids grow within a run of the sender, and every run has connections of its own.
   */
  #isRepeated(message: Message): boolean {
    if (message.kind !== 'propose') return false;
    if (message.id <= this.#lastProposal) return true;
    this.#lastProposal = message.id;
    return false;
  }

  #onHello(kind: number, reader: ByteReader): string | null {
    if (kind !== FrameKind.hello) return `frame of kind ${kind} instead of a hello`;
    const hello = readHello(reader);
    if (hello === null) return 'this is not the peer protocol, or a malformed hello';
    const refusal = judgeHello(this.#context, hello) ?? this.#refuseFormer(hello) ?? this.#refuseWhileStarting(hello);
    if (refusal !== null) {
      this.#refuse(hello, refusal);
      return null;
    }
    if (hello.purpose === Purpose.registration) this.#register(hello);
    else this.#welcome(hello);
    return null;
  }

  #refuseFormer({ from, incarnation }: Hello): Refusal | null {
    if (!this.#host.isFormer(from, incarnation)) return null;
    return {
      code: 'removed',
      reason:
        `The data directory of server ${from} (${incarnation}) has left the cluster. Stop that server. To come back it needs an ` +
        'empty directory, and a change of membership that lets it in.',
    };
  }

  #register(hello: Hello): void {
    this.#hello = hello;
    this.#isEnding = true;
    this.#host.register(hello.from, hello.incarnation, (refusal) => {
      if (this.#isClosed) return;
      if (refusal === null) this.#welcome(hello);
      else this.#refuse(hello, refusal);
    });
  }

  #refuseWhileStarting(hello: Hello): Refusal | null {
    if (hello.purpose === Purpose.registration) return null;
    if (hello.purpose === Purpose.question) {
      const reason = this.#host.whyUnsure(hello.from);
      return reason === null ? null : { code: 'busy', reason };
    }
    if (this.#host.isStarted()) return null;
    return {
      code: 'starting',
      reason: `Server ${this.#context.identity.member} is still starting. Try again shortly.`,
    };
  }

  #refuse(hello: Hello, refusal: Refusal): void {
    if (refusal.code !== 'starting' && refusal.code !== 'removed') {
      this.#context.complaints.say('error', `refused a peer connection: ${refusal.reason}`, {
        remote: this.#connection.remoteAddress,
        peer: hello.from,
      });
    }
    this.#isEnding = true;
    this.#connection.write(frame(FrameKind.refusal, (writer) => writeRefusal(writer, refusal)));
    this.#connection.end();
  }

  #welcome(hello: Hello): void {
    this.#hello = hello;
    const { identity, limits, observer } = this.#context;
    const answer = {
      ...agree(this.#context, hello),
      incarnation: identity.incarnation,
      term: this.#host.durableTerm(),
      bound: this.#host.knownIncarnation(hello.from),
      versions: this.#context.versions(),
    };
    this.#connection.write(frame(FrameKind.welcome, (writer) => writeWelcome(writer, answer)));
    if (observer.on.connections) observer.line('connections', `from ${hello.from}: accepted`);
    if (hello.purpose === Purpose.question || hello.purpose === Purpose.registration) {
      this.#isEnding = true;
      this.#connection.end();
      return;
    }
    this.#route = {
      group: identity.group,
      from: hello.from,
      to: identity.member,
      incarnation: hello.incarnation,
    };
    this.#parser.maxPayloadBytes = limits.maxFrameBytes;
    if (hello.purpose === Purpose.messages) {
      this.#owner.onSpeaking(hello.from);
      if (hello.address !== '') this.#host.onAcquainted(hello.from, hello.address);
    }
    if (hello.purpose === Purpose.snapshot)
      this.#intake = new SnapshotIntake(this.#context, this.#host, this.#connection, this.#route, this);
  }
}

const ignored: ConnectionHandler = {
  onOpen: () => undefined,
  onData: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};
