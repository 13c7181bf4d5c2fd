/**
 * The hard situations that a campaign must get into (docs/invariants.md, "Coverage"). A simulator that never sees one of them proves
 * nothing about it.
 */
export const situations = [
  'two leaders alive in different terms',
  'split vote',
  'several entries truncated at once',
  'old-term entries on a quorum, not committed by that',
  'old-term entry committed by a new-term one',
  'commit before the leader has it on its own disk',
  'crash with a batch on its way',
  'restart that lost what was not durable',
  'restart that finds what was never reported',
  'torn batch',
  'restart with a compacted log',
  'snapshot installed',
  'snapshot installed over a diverged log',
  'snapshot interrupted by a change of leader',
  'entries loaded from storage',
  'read pending when leadership is lost',
  'stale ReadIndex answer arrives',
  'proposal of unknown outcome applied',
  'pre-vote refused because of a live leader',
  'leader steps down without a majority',
  'failed sync ends a server',
  'disk full',
  'message of an earlier term arrives',
  'message older than a restart arrives',
  'incarnation bound',
  'another incarnation not counted',
  'faulty entry repaired',
  'leader settles faulty entries before its term begins',
  'a faulty entry is faulty elsewhere too',
  'a damaged snapshot is asked for',
] as const;
export type Situation = (typeof situations)[number];
