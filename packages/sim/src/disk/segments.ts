import { segmentOfName } from '@quorate/runtime';

/** The number of the log's segment at that path; null if it is something else. */
export function segmentOf(path: string): number | null {
  return path.startsWith('wal/') ? segmentOfName(path.slice(4)) : null;
}
