/** How ill a virtual disk is. Plain data, so that a seed can draw it and a phase can switch it off. */

/** Unless said otherwise: in how many of a thousand operations of that kind. Zero is never. */
export interface DiskFaults {
  /** Reads, listings and sizes that fail with EIO; asked again, they may work. */
  readonly readError: number;
  /** Writes that fail with EIO and write nothing. */
  readonly writeError: number;
  /** Syncs that fail with EIO, after which what they should have written counts as clean and may be gone. */
  readonly syncError: number;
  /** Syncs and reads that take up to `slowMicros`. */
  readonly slow: number;
  readonly slowMicros: number;
  /** Submissions that never end: until the process does, or the faults are switched off. */
  readonly stuck: number;
  /** Syncs after which a sector somewhere on the disk rots. */
  readonly bitRot: number;
  /** Writes that land in another place. It shows once a later write of that file is durable. */
  readonly misdirectedWrite: number;
  /** Writes that are confirmed and never land. It shows once a later write of that file is durable. */
  readonly lostWrite: number;
  /** Reads in which one sector comes from another place; asked again, they work. */
  readonly misdirectedRead: number;
}

export const healthyDisk: DiskFaults = {
  readError: 0,
  writeError: 0,
  syncError: 0,
  slow: 0,
  slowMicros: 0,
  stuck: 0,
  bitRot: 0,
  misdirectedWrite: 0,
  lostWrite: 0,
  misdirectedRead: 0,
};

/** How long a healthy disk takes, in microseconds: drawn evenly from [least, most]. */
export interface DiskTiming {
  /** One sync of a file or of a directory. */
  readonly sync: readonly [least: number, most: number];
  /** Everything else, once for each submission that syncs nothing. */
  readonly access: readonly [least: number, most: number];
}

export const defaultDiskTiming: DiskTiming = { sync: [100, 1000], access: [10, 100] };

/** What a fault model did, for those who count. A power cut counts the writes that it lost or tore. */
export const diskFaultKinds = [
  'readError',
  'writeError',
  'syncError',
  'slow',
  'stuck',
  'bitRot',
  'misdirectedWrite',
  'lostWrite',
  'misdirectedRead',
  'full',
  'crashLost',
  'crashTorn',
] as const;
export type DiskFaultKind = (typeof diskFaultKinds)[number];
