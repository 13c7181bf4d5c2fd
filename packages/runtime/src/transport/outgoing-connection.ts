import type { ByteReader } from '../codec/byte-reader.ts';
import { FrameParser, frame } from '../codec/frame.ts';
import type { Connection, ConnectionHandler } from '../environment.ts';
import type { TransportContext, Watched } from './context.ts';
import { type Hello, type Refusal, readRefusal, readWelcome, type Welcome, writeHello } from './handshake.ts';
import { FrameKind } from './protocol.ts';

export interface OutgoingHandler {
  /** The other side has accepted; frames may be sent from here on. */
  onWelcome(welcome: Welcome): void;
  /** A frame other than those of the handshake. Returns null, or why the connection must end. */
  onFrame(kind: number, reader: ByteReader): string | null;
  onDrain(): void;
  /**
   * Called exactly once, whatever ended it, unless this side called `destroy`. `isRefused`: nobody listens there; a `refusal` is what
   * somebody who does has said.
   */
  onClosed(reason: string, refusal: Refusal | null, isRefused: boolean): void;
}

/** A connection that this server opened: connect, hello, welcome or refusal, then frames. */
export class OutgoingConnection implements ConnectionHandler, Watched {
  readonly #context: TransportContext;
  readonly #hello: Hello;
  readonly #handler: OutgoingHandler;
  readonly #parser: FrameParser;
  readonly #connection: Connection;
  readonly #openedAt: number;
  #isWelcome = false;
  #isClosed = false;
  #refusal: Refusal | null = null;
  #lastHeard: number;

  constructor(context: TransportContext, address: string, hello: Hello, handler: OutgoingHandler) {
    this.#context = context;
    this.#hello = hello;
    this.#handler = handler;
    this.#openedAt = context.environment.clock.now();
    this.#lastHeard = this.#openedAt;
    this.#parser = new FrameParser(context.limits.maxHandshakeBytes, (reader) => this.#onFrame(reader));
    context.watched.add(this);
    this.#connection = context.environment.network.connect(address, this);
  }

  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** Whole frames; the bytes belong to the connection from here on. */
  write(frames: Uint8Array): void {
    this.#connection.write(frames);
  }

  notifyDrain(): void {
    this.#connection.notifyDrain();
  }

  /** Ends the connection without another word to the handler. */
  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.watched.delete(this);
    this.#connection.destroy();
  }

  check(now: number): void {
    const { limits } = this.#context;
    if (!this.#isWelcome) {
      if (now - this.#openedAt > limits.handshakeTimeout) this.#close('no answer to the handshake in time');
      return;
    }
    if (now - this.#lastHeard > limits.keepaliveTimeout) {
      this.#close('no sign of life within the keepalive timeout');
      return;
    }
    this.#connection.write(frame(FrameKind.ping));
  }

  onOpen(): void {
    if (this.#isClosed) return;
    this.#connection.write(frame(FrameKind.hello, (writer) => writeHello(writer, this.#hello)));
  }

  onData(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#lastHeard = this.#context.environment.clock.now();
    const reason = this.#parser.push(bytes);
    if (reason !== null) this.#close(reason);
  }

  onDrain(): void {
    if (!this.#isClosed) this.#handler.onDrain();
  }

  onClose(reason: string | null, isRefused: boolean): void {
    this.#close(reason ?? 'closed by the other side', isRefused);
  }

  #onFrame(reader: ByteReader): string | null {
    if (this.#isClosed) return null;
    const kind = reader.u8();
    if (this.#isWelcome) return kind === FrameKind.pong ? null : this.#handler.onFrame(kind, reader);
    if (kind === FrameKind.refusal) {
      this.#refusal = readRefusal(reader);
      return this.#refusal === null ? 'malformed refusal' : `refused: ${this.#refusal.reason}`;
    }
    if (kind !== FrameKind.welcome) return `frame ${kind} instead of a welcome`;
    const welcome = readWelcome(reader);
    if (welcome === null) return 'malformed welcome';
    const { min, max } = this.#hello.versions;
    if (welcome.version < min || welcome.version > max) {
      return `welcome in peer protocol ${welcome.version}, which was not offered`;
    }
    this.#isWelcome = true;
    this.#parser.maxPayloadBytes = this.#context.limits.maxFrameBytes;
    this.#handler.onWelcome(welcome);
    return null;
  }

  #close(reason: string, isRefused = false): void {
    if (this.#isClosed) return;
    this.destroy();
    this.#handler.onClosed(reason, this.#refusal, isRefused);
  }
}
