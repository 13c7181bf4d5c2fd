import type { Environment } from '../environment.ts';
import type { Observer } from '../observer.ts';
import type { Complaints } from './complaints.ts';
import type { LeaseTerms, LocalIdentity, VersionRange } from './handshake.ts';
import type { TransportLimits } from './protocol.ts';

/** What every part of the transport works with. */
export interface TransportContext {
  readonly environment: Environment;
  readonly identity: LocalIdentity;
  readonly leases: LeaseTerms;
  /** What this server speaks, from the version in use of its cluster on. */
  readonly versions: () => VersionRange;
  readonly limits: TransportLimits;
  readonly observer: Observer;
  /** Where lines go that a stranger can provoke. */
  readonly complaints: Complaints;
  /** Every live connection; looked at once per keepalive interval. */
  readonly watched: Set<Watched>;
}

/** Something with a deadline. */
export interface Watched {
  /** Ends what has taken too long. */
  check(now: number): void;
}
