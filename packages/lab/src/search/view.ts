/** A cluster that is searched, as goals and prunes see it: the same for handlers and for the async style. */
import type { LabGhost } from './ghost.ts';
import type { LabFlight } from './message.ts';
import type { SearchedServer } from './server.ts';

export interface LabView {
  readonly servers: readonly SearchedServer[];
  readonly flights: readonly LabFlight[];
  readonly ghost: LabGhost;
  /** Whether what the server has saved speaks of the command, wherever in it. */
  hasSaved(server: number, command: string): boolean;
  savedSize(server: number): SavedSize;
}

/** What of a server survives its crash, as the suite measures it. */
export interface SavedSize {
  readonly bytes: number;
  readonly snapshotBytes: number;
}
