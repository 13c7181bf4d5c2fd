/** What a quorum is, written down a second time and in the plainest way, so that an error in the core's counting shows. */
import type { Configuration, MemberId } from '@quorate/raft';

/** Whether those that `has` names are a majority of the voters and, while joint, of the outgoing voters too (§6). */
export function isQuorum(configuration: Configuration, has: (member: MemberId) => boolean): boolean {
  return (
    isMajority(configuration.voters, has) &&
    (configuration.outgoing.length === 0 || isMajority(configuration.outgoing, has))
  );
}

function isMajority(voters: readonly MemberId[], has: (member: MemberId) => boolean): boolean {
  let count = 0;
  for (const voter of voters) if (has(voter)) count += 1;
  return count * 2 > voters.length;
}
