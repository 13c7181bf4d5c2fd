import { RaftError } from '../errors.ts';

/**
 * Bounds of all sessions together. They are replicated: each `open` carries them and the newest counts, so that every server judges
 * alike, whatever its own program was started with.
 */
export interface SessionLimits {
  /** Sessions that may be open at once. One more ends the one that was used least recently. From 1 to 100,000. */
  readonly maxSessions: number;
  /**
   * Bytes of answers kept for all sessions together, `keptAnswerOverhead` for each added. Beyond it the sessions used least recently
   * end, but never the one that was used just now. From 1 on.
   */
  readonly maxKeptBytes: number;
}

export const defaultSessionLimits: SessionLimits = {
  maxSessions: 1024,
  maxKeptBytes: 64 << 20,
};

/** What a kept answer counts beside its own bytes. */
export const keptAnswerOverhead = 64;
/** The largest window that a session may ask for: unanswered commands, and so answers kept for it. */
export const maxSessionWindow = 4096;

const maxMaxSessions = 100_000;

export function areLimits({ maxSessions, maxKeptBytes }: SessionLimits): boolean {
  return isBetween(maxSessions, 1, maxMaxSessions) && isBetween(maxKeptBytes, 1, Number.MAX_SAFE_INTEGER);
}

export function isWindow(window: number): boolean {
  return isBetween(window, 1, maxSessionWindow);
}

/** @throws RaftError InvalidOptions. */
export function checkLimits(limits: SessionLimits): void {
  if (areLimits(limits)) return;
  throw new RaftError(
    'InvalidOptions',
    `maxSessions is ${limits.maxSessions} and maxKeptBytes ${limits.maxKeptBytes}. Give whole numbers from 1 on, and at most ` +
      `${maxMaxSessions} sessions.`,
  );
}

function isBetween(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}
