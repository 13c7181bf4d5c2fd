/** Who decides what may be destroyed: see budget.ts. */
import type { PagedBytes } from './paged-bytes.ts';

/** A range of a file that a fault would destroy. */
export interface Place {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** What the file holds durably now. */
  readonly content: PagedBytes;
}

export interface DamagePolicy {
  /**
   * Whether this place may be destroyed now. Who asks does it when told yes, so a yes counts at once. `erases`: what stood there
   * before comes back, often zeros, so that the damage looks like a write that never happened. `landing`: where a write went instead,
   * destroyed along with it.
   */
  mayDamage(place: Place, erases: boolean, landing?: Place): boolean;
}

/** A disk that keeps what it confirmed. */
export const noDamage: DamagePolicy = { mayDamage: () => false };
