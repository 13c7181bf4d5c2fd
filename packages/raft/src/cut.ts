/** Where entries are cut from the end of a log: at a conflict (§5.3), or because they were lost and never committed (repair.ts). */
import { invariant } from './invariant.ts';
import { truncate } from './log.ts';
import { onTruncated } from './membership.ts';
import { noteTruncated } from './persistence.ts';
import type { Core } from './state.ts';
import type { Index } from './types.ts';

/** Drops every entry from `from` on. */
export function cut(core: Core, from: Index): void {
  const { state } = core;
  invariant(
    from > state.commitIndex,
    () => `entry ${from} is cut, but everything up to ${state.commitIndex} is committed`,
  );
  core.out.events.push({ kind: 'truncated', from, to: state.log.lastIndex });
  truncate(state.log, from);
  noteTruncated(state.durability, from);
  onTruncated(core, from);
}
