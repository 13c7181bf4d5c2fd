/** A disk that can be made slow: every operation begins later, in order. */
import type { Disk, DiskOperation, DiskError, DiskQueue } from '@quorate/runtime';
import type { DelayLine } from './delay-line.ts';

export function faultyDisk(disk: Disk, line: DelayLine, background: DelayLine): Disk {
  return {
    ...slowQueue(disk, line),
    background: slowQueue(disk.background, background),
    hold: (done) => disk.hold(done),
    close: (done) => line.run(() => background.run(() => disk.close(done))),
  };
}

type Done<Value> = (error: DiskError | null, value: Value) => void;

function slowQueue(queue: DiskQueue, line: DelayLine): DiskQueue {
  return {
    submit(operations: readonly DiskOperation[], done: (error: DiskError | null) => void) {
      line.run(() => queue.submit(operations, done));
    },
    read(path: string, offset: number, length: number, done: Done<Uint8Array>) {
      line.run(() => queue.read(path, offset, length, done));
    },
    list(path: string, done: Done<readonly string[]>) {
      line.run(() => queue.list(path, done));
    },
    size(path: string, done: Done<number>) {
      line.run(() => queue.size(path, done));
    },
    free(done: Done<number>) {
      line.run(() => queue.free(done));
    },
  };
}
