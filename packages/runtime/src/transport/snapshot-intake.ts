import type { InstallSnapshot, Message, SnapshotMetadata } from '@quorate/raft';
import type { ByteReader } from '../codec/byte-reader.ts';
import { frame } from '../codec/frame.ts';
import { type MessageRoute, readMessage } from '../codec/message-codec.ts';
import type { Connection } from '../environment.ts';
import type { SnapshotReceiver, StorageError } from '../storage.ts';
import type { TransportContext } from './context.ts';
import { FrameKind } from './protocol.ts';

/** What receiving a snapshot needs of the node. */
export interface SnapshotIntakeHost {
  /** Whether this server lacks what the snapshot holds. */
  needsSnapshot(metadata: SnapshotMetadata): boolean;
  /** A snapshot that was received before is not durably installed yet: until it is, none other may take its place. */
  isInstalling(): boolean;
  /**
   * Asks for the one place where a snapshot is received; `interrupt` is called when a newer claim takes it over. False if a
   * leader of a later term holds it.
   */
  claimIntake(term: number, interrupt: () => void): boolean;
  releaseIntake(interrupt: () => void): void;
  receiveSnapshot(
    metadata: SnapshotMetadata,
    totalBytes: number,
    done: (error: StorageError | null, receiver: SnapshotReceiver | null) => void,
  ): void;
  onStorageError(error: StorageError): void;
  onMessage(message: Message): void;
}

/**
 * The receiving end of one snapshot stream: offer → accept with the offset from which bytes are missing → chunks → end →
 * done. The core hears of it only when every byte is durable and verified.
 */
export class SnapshotIntake {
  readonly #context: TransportContext;
  readonly #host: SnapshotIntakeHost;
  readonly #connection: Connection;
  readonly #route: MessageRoute;
  readonly #owner: { close(reason: string): void };
  readonly #interrupt = (): void => this.#owner.close('a newer snapshot stream takes over');
  readonly #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #receivedBytes = 0;
  #totalBytes = 0;
  #offer: InstallSnapshot | null = null;
  #receiver: SnapshotReceiver | null = null;
  #isWriting = false;
  #isPaused = false;
  #hasEnded = false;
  #isFinishing = false;
  #isStopped = false;

  constructor(
    context: TransportContext,
    host: SnapshotIntakeHost,
    connection: Connection,
    route: MessageRoute,
    owner: { close(reason: string): void },
  ) {
    this.#context = context;
    this.#host = host;
    this.#connection = connection;
    this.#route = route;
    this.#owner = owner;
  }

  /** Returns null, or why the connection must end. */
  onFrame(kind: number, reader: ByteReader): string | null {
    switch (kind) {
      case FrameKind.snapshotOffer:
        return this.#onOffer(reader);
      case FrameKind.snapshotChunk:
        return this.#onChunk(reader.take(reader.remaining));
      case FrameKind.snapshotEnd:
        return this.#onEnd();
      default:
        return `unexpected frame of kind ${kind} in a snapshot stream`;
    }
  }

  /** The connection is gone. What arrived stays for a later attempt. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    // Once all bytes are here the rest needs no connection: it is brought to its end, and only then may another begin.
    if (this.#isFinishing) return;
    this.#receiver?.suspend();
    this.#host.releaseIntake(this.#interrupt);
  }

  #onOffer(reader: ByteReader): string | null {
    if (this.#offer !== null) return 'second offer in a snapshot stream';
    const totalBytes = reader.varint();
    const message = readMessage(reader, this.#route);
    if (message === null || message.kind !== 'installSnapshot') return 'malformed snapshot offer';
    this.#offer = message;
    this.#totalBytes = totalBytes;
    if (!this.#host.needsSnapshot(message.snapshot)) {
      // The core answers with what it has; no byte need travel.
      this.#host.onMessage(message);
      this.#sendDone();
      return null;
    }
    if (this.#host.isInstalling()) return 'another snapshot is still being installed';
    if (!this.#host.claimIntake(message.term, this.#interrupt)) return 'a later leader is sending a snapshot already';
    this.#host.receiveSnapshot(message.snapshot, totalBytes, (error, receiver) => this.#onReceiver(error, receiver));
    return null;
  }

  #onReceiver(error: StorageError | null, receiver: SnapshotReceiver | null): void {
    if (error !== null || receiver === null) {
      this.#fail(error);
      return;
    }
    if (this.#isStopped) {
      receiver.suspend();
      return;
    }
    this.#receiver = receiver;
    this.#receivedBytes = receiver.offset;
    this.#log('receiving a snapshot', { fromByte: receiver.offset, totalBytes: this.#totalBytes });
    this.#connection.write(frame(FrameKind.snapshotAccept, (writer) => writer.varint(receiver.offset)));
  }

  #onChunk(bytes: Uint8Array): string | null {
    if (this.#receiver === null || this.#hasEnded) return 'snapshot bytes that were not asked for';
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#totalBytes) return 'more snapshot bytes than were offered';
    this.#chunks.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > this.#context.limits.snapshotQueuedBytes && !this.#isPaused) {
      this.#isPaused = true;
      this.#connection.pause();
    }
    this.#writeNext();
    return null;
  }

  #onEnd(): string | null {
    if (this.#receiver === null || this.#hasEnded) return 'end of a snapshot that did not begin';
    if (this.#receivedBytes !== this.#totalBytes) return 'fewer snapshot bytes than were offered';
    this.#hasEnded = true;
    this.#writeNext();
    return null;
  }

  #writeNext(): void {
    const receiver = this.#receiver;
    if (this.#isWriting || this.#isStopped || receiver === null) return;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) {
      if (this.#hasEnded) this.#finish(receiver);
      return;
    }
    this.#isWriting = true;
    receiver.write(chunk, (error) => {
      this.#isWriting = false;
      this.#queuedBytes -= chunk.length;
      if (error !== null) {
        this.#fail(error);
        return;
      }
      if (this.#isPaused && this.#queuedBytes === 0 && !this.#isStopped) {
        this.#isPaused = false;
        this.#connection.resume();
      }
      this.#writeNext();
    });
  }

  #finish(receiver: SnapshotReceiver): void {
    this.#isWriting = true;
    this.#isFinishing = true;
    receiver.finish((error) => {
      this.#host.releaseIntake(this.#interrupt);
      const offer = this.#offer;
      if (error !== null || offer === null) {
        this.#fail(error);
        return;
      }
      this.#log('received a snapshot', { totalBytes: this.#totalBytes });
      this.#host.onMessage(offer);
      if (!this.#isStopped) this.#sendDone();
    });
  }

  #sendDone(): void {
    this.#connection.write(frame(FrameKind.snapshotDone));
    this.#connection.end();
  }

  #fail(error: StorageError | null): void {
    // A snapshot that does not verify is the stream's problem; a disk that fails is the server's.
    if (error !== null && error.code !== 'InvalidSnapshot') this.#host.onStorageError(error);
    this.#owner.close(`cannot take the snapshot: ${error?.message ?? 'storage gave no receiver'}`);
  }

  #log(text: string, fields: Record<string, unknown>): void {
    const index = this.#offer?.snapshot.index;
    this.#context.environment.logger.log('info', text, { peer: this.#route.from, index, ...fields });
  }
}
