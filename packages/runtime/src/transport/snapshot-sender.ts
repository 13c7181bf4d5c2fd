import type { Index, InstallSnapshot } from '@quorate/raft';
import type { ByteReader } from '../codec/byte-reader.ts';
import { EntriesEncoder } from '../codec/entries-codec.ts';
import { frame } from '../codec/frame.ts';
import { writeMessage } from '../codec/message-codec.ts';
import type { TimerHandle } from '../environment.ts';
import type { SnapshotReader, StorageError } from '../storage.ts';
import type { TransportContext } from './context.ts';
import { helloFrom } from './handshake.ts';
import { OutgoingConnection } from './outgoing-connection.ts';
import { FrameKind, Purpose } from './protocol.ts';
import type { SnapshotTurns, TakesTurns } from './snapshot-turns.ts';

export interface SnapshotSenderHost {
  openSnapshot(done: (error: StorageError | null, reader: SnapshotReader | null) => void): void;
  onStorageError(error: StorageError): void;
  /** Called exactly once, unless `cancel` came first. */
  onSnapshotSent(delivered: boolean): void;
}

/** Streams the newest snapshot to one peer on a connection of its own, as fast as the peer takes it, when it is its turn. */
export class SnapshotSender implements TakesTurns {
  readonly #context: TransportContext;
  readonly #turns: SnapshotTurns;
  readonly #host: SnapshotSenderHost;
  readonly #address: string;
  readonly #request: InstallSnapshot;
  #connection: OutgoingConnection | null = null;
  #reader: SnapshotReader | null = null;
  /** Read up to here: from the beginning on, also what the peer has already, since only so is the file verified. */
  #offset = 0;
  /** The peer has everything up to here. */
  #sentTo = 0;
  #hasBegun = false;
  #isAccepted = false;
  #isReading = false;
  #hasEnded = false;
  #isOver = false;
  /** While it has the turn and waits for the receiver. */
  #patience: TimerHandle | null = null;

  /** `request` is the core's message; the snapshot sent is the newest, which may be later than the one it names. */
  constructor(
    context: TransportContext,
    turns: SnapshotTurns,
    host: SnapshotSenderHost,
    address: string,
    request: InstallSnapshot,
  ) {
    this.#context = context;
    this.#turns = turns;
    this.#host = host;
    this.#address = address;
    this.#request = request;
    if (turns.take(this)) this.onTurn();
  }

  get term(): number {
    return this.#request.term;
  }

  /** Where the receiver's log will go on once it has the snapshot. */
  get index(): Index {
    return this.#reader?.metadata.index ?? this.#request.snapshot.index;
  }

  onTurn(): void {
    if (this.#isOver) return;
    if (this.#hasBegun) {
      this.#pump();
      return;
    }
    this.#hasBegun = true;
    this.#waitForReceiver();
    this.#host.openSnapshot((error, reader) => this.#onReader(error, reader));
  }

  /** Stops without a report. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#heardReceiver();
    this.#turns.leave(this);
    this.#connection?.destroy();
    // A read under way still uses the reader; its callback closes it.
    if (!this.#isReading) this.#reader?.close();
  }

  #onReader(error: StorageError | null, reader: SnapshotReader | null): void {
    if (this.#isOver) {
      reader?.close();
      return;
    }
    if (error !== null) this.#host.onStorageError(error);
    if (reader === null || reader.metadata.index < this.#request.snapshot.index) {
      reader?.close();
      this.#finish(false, 'the snapshot is not there');
      return;
    }
    this.#reader = reader;
    const hello = helloFrom(this.#context, this.#request.to, Purpose.snapshot, this.#request.term);
    this.#connection = new OutgoingConnection(this.#context, this.#address, hello, {
      onWelcome: () => this.#offer(reader),
      onFrame: (kind, frameReader) => this.#onFrame(kind, frameReader),
      onDrain: () => {
        this.#heardReceiver();
        this.#pump();
      },
      onClosed: (reason) => this.#finish(false, reason),
    });
  }

  #offer(reader: SnapshotReader): void {
    const message = { ...this.#request, snapshot: reader.metadata };
    this.#connection?.write(
      frame(FrameKind.snapshotOffer, (writer) => {
        writer.varint(reader.totalBytes);
        writeMessage(writer, message, new EntriesEncoder());
      }),
    );
    this.#log('sending a snapshot', { index: reader.metadata.index, totalBytes: reader.totalBytes });
  }

  #onFrame(kind: number, frameReader: ByteReader): string | null {
    if (kind === FrameKind.snapshotAccept && !this.#isAccepted) {
      this.#isAccepted = true;
      this.#sentTo = frameReader.varint();
      if (frameReader.failed || this.#sentTo > (this.#reader?.totalBytes ?? 0)) return 'malformed accept';
      this.#heardReceiver();
      this.#pump();
      return null;
    }
    if (kind === FrameKind.snapshotDone) {
      this.#finish(true, 'delivered');
      return null;
    }
    return `unexpected frame of kind ${kind} in a snapshot stream`;
  }

  /** Reads and sends the next piece while the receiver keeps up. */
  #pump(): void {
    const reader = this.#reader;
    const connection = this.#connection;
    if (this.#isOver || this.#isReading || this.#hasEnded || !this.#isAccepted) return;
    if (reader === null || connection === null || !this.#turns.take(this)) return;
    const { snapshotChunkBytes, snapshotQueuedBytes } = this.#context.limits;
    if (connection.bufferedBytes > snapshotQueuedBytes) {
      connection.notifyDrain();
      this.#waitForReceiver();
      return;
    }
    const length = Math.min(snapshotChunkBytes, reader.totalBytes - this.#offset);
    if (length === 0) {
      this.#hasEnded = true;
      connection.write(frame(FrameKind.snapshotEnd));
      this.#turns.leave(this);
      return;
    }
    this.#isReading = true;
    reader.readBytes(this.#offset, length, (error, bytes) => {
      this.#isReading = false;
      this.#onBytes(reader, connection, error, bytes);
    });
  }

  #onBytes(
    reader: SnapshotReader,
    connection: OutgoingConnection,
    error: StorageError | null,
    bytes: Uint8Array,
  ): void {
    if (this.#isOver) {
      reader.close();
      return;
    }
    if (error !== null) {
      this.#host.onStorageError(error);
      this.#finish(false, error.message);
      return;
    }
    const news = bytes.subarray(Math.max(0, this.#sentTo - this.#offset));
    this.#offset += bytes.length;
    this.#sentTo = Math.max(this.#sentTo, this.#offset);
    if (news.length > 0) connection.write(frame(FrameKind.snapshotChunk, (writer) => writer.raw(news)));
    this.#pump();
  }

  /** Not for long: then others may go on meanwhile. */
  #waitForReceiver(): void {
    const { environment, limits } = this.#context;
    this.#patience ??= environment.timers.set(limits.snapshotPatience, () => {
      this.#patience = null;
      this.#turns.leave(this);
    });
  }

  #heardReceiver(): void {
    if (this.#patience !== null) this.#context.environment.timers.clear(this.#patience);
    this.#patience = null;
  }

  #finish(delivered: boolean, reason: string): void {
    if (this.#isOver) return;
    this.cancel();
    this.#log(delivered ? 'snapshot delivered' : `snapshot not delivered: ${reason}`, { sentBytes: this.#sentTo });
    this.#host.onSnapshotSent(delivered);
  }

  #log(text: string, fields: Record<string, unknown>): void {
    this.#context.environment.logger.log('info', text, { peer: this.#request.to, ...fields });
  }
}
