/**
 * Recordings of several servers as one sequence. Each server's own order holds; between servers it is the order of their wall clocks,
 * corrected where they contradict causality: nobody receives what was not sent.
 */
import type { ClockAnchor } from '@quorate/runtime';
import { fingerprintMessage } from '@quorate/runtime';
import type { ServerRecord, ServerRecording } from './recording.ts';

export function* mergeRecordings(recordings: readonly ServerRecording[]): Generator<ServerRecord, void, undefined> {
  const causality = new Causality(recordings);
  const cursors = recordings.map((recording) => new Cursor(recording));
  for (;;) {
    const open = cursors.filter((cursor) => cursor.head !== null);
    const ready = open.filter(({ head }) => head !== null && !causality.mustWait(head));
    // None ready: two messages with one fingerprint were taken for each other. The clocks decide then.
    const next = earliest(ready.length > 0 ? ready : open);
    if (next?.head === undefined || next.head === null) return;
    causality.happened(next.head);
    yield next.head;
    next.advance();
  }
}

class Cursor {
  readonly #records: Generator<ServerRecord, void, undefined>;
  #anchor: ClockAnchor = { wallTime: 0, now: 0 };
  head: ServerRecord | null = null;
  /** When the head happened, by the server's wall clock. Microseconds. */
  time = 0;

  constructor(recording: ServerRecording) {
    this.#records = recording.records();
    this.advance();
  }

  advance(): void {
    const next = this.#records.next();
    this.head = next.done === true ? null : next.value;
    if (this.head === null) return;
    if (this.head.kind === 'checkpoint') this.#anchor = this.head.anchor;
    const now = this.head.kind === 'checkpoint' ? this.head.anchor.now : this.head.input.now;
    this.time = this.#anchor.wallTime * 1000 + now - this.#anchor.now;
  }
}

function earliest(cursors: readonly Cursor[]): Cursor | undefined {
  let found = cursors[0];
  for (const cursor of cursors) if (found === undefined || cursor.time < found.time) found = cursor;
  return found;
}

/** Which messages have left. Those that no recording shows the sending of (it began later, or was not given) are never waited for. */
class Causality {
  /** By fingerprint: how often it leaves in all, has left, and has arrived. */
  readonly #inAll = new Map<number, number>();
  readonly #left = new Map<number, number>();
  readonly #arrived = new Map<number, number>();

  constructor(recordings: readonly ServerRecording[]) {
    for (const recording of recordings) {
      for (const { sent } of recording.records()) for (const { fingerprint } of sent) add(this.#inAll, fingerprint);
    }
  }

  mustWait(record: ServerRecord): boolean {
    if (record.kind !== 'input' || record.input.kind !== 'message') return false;
    const fingerprint = fingerprintMessage(record.input.message);
    const before = this.#arrived.get(fingerprint) ?? 0;
    return (this.#left.get(fingerprint) ?? 0) <= before && (this.#inAll.get(fingerprint) ?? 0) > before;
  }

  happened(record: ServerRecord): void {
    if (record.kind === 'input' && record.input.kind === 'message') {
      add(this.#arrived, fingerprintMessage(record.input.message));
    }
    for (const { fingerprint } of record.sent) add(this.#left, fingerprint);
  }
}

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
