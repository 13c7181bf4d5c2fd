/** A queue for what may be refused when the disk fills up, as snapshots may: it never eats what the log was promised, nor the reserve. */
import type { DiskError, DiskOperation, DiskQueue, Timers } from '../environment.ts';
import type { Room } from './disk-room.ts';

/** `queue`, but a list of operations whose writes do not fit beside the reserve fails with ENOSPC, and nothing of it is carried out. */
export function roomedQueue(queue: DiskQueue, room: Room, timers: Timers): DiskQueue {
  return {
    submit(operations: readonly DiskOperation[], done: (error: DiskError | null) => void): void {
      const bytes = writtenBytes(operations);
      if (bytes > room.free) {
        room.refused();
        timers.afterPoll(() => done(noRoom(operations, bytes)));
        return;
      }
      room.take(bytes);
      queue.submit(operations, (error) => {
        room.settle(bytes);
        done(error);
      });
    },
    read: (path, offset, length, done) => queue.read(path, offset, length, done),
    list: (path, done) => queue.list(path, done),
    size: (path, done) => queue.size(path, done),
    free: (done) => queue.free(done),
  };
}

function writtenBytes(operations: readonly DiskOperation[]): number {
  let bytes = 0;
  for (const operation of operations) if (operation.op === 'write') bytes += operation.bytes.length;
  return bytes;
}

function noRoom(operations: readonly DiskOperation[], bytes: number): DiskError {
  const path = operations.find((each) => each.op === 'write')?.path ?? '';
  return { code: 'ENOSPC', message: `${bytes} bytes do not fit beside the reserve`, path };
}
