/**
 * The configuration in force (§6): always the newest in the log, from the moment it is appended, whether committed or not; when
 * its entry is cut away, the one before it is in force again.
 */
import { decodeConfiguration } from './configuration-codec.ts';
import { memberOf } from './configuration.ts';
import { invariant } from './invariant.ts';
import { newProgress } from './progress.ts';
import type { Core, Progress, RaftState } from './state.ts';
import { type Configuration, type Entry, EntryKind, type Index, type Member, type SnapshotMetadata } from './types.ts';

export function currentConfiguration(state: RaftState): Configuration {
  const newest = state.configurations.at(-1);
  invariant(newest !== undefined, 'a configuration is always in force');
  return newest;
}

/** The newest configuration known to be committed, and those behind it. */
export function openConfigurations({ configurations, commitIndex }: RaftState): readonly Configuration[] {
  const committed = configurations.findLastIndex(({ index }) => index <= commitIndex);
  return configurations.slice(Math.max(0, committed));
}

/** The configuration in force at `index`: the newest one defined at or before it. */
export function configurationAt(state: RaftState, index: Index): Configuration {
  const found = state.configurations.findLast((configuration) => configuration.index <= index);
  invariant(found !== undefined, () => `the configuration in force at ${index} is known`);
  return found;
}

/** An entry was appended: if it defines a configuration, that is in force now. */
export function onAppended(core: Core, entry: Entry): void {
  if (entry.kind !== EntryKind.configuration) return;
  const configuration = decodeConfiguration(entry.data, entry.index);
  invariant(
    configuration !== null,
    () => `the configuration in entry ${entry.index} was checked before it was appended`,
  );
  core.state.configurations.push(configuration);
  onChanged(core);
}

/** A faulty entry turned out to define a configuration: if none behind it does, that is in force. */
export function onRepairedConfiguration(core: Core, entry: Entry): void {
  const { configurations, snapshot } = core.state;
  const configuration = decodeConfiguration(entry.data, entry.index);
  invariant(configuration !== null, () => `the configuration in entry ${entry.index} was checked before it was taken`);
  // What the snapshot covers is in the snapshot's configuration.
  if (entry.index <= snapshot.index || configurations.some((it) => it.index === entry.index)) return;
  core.state.configurations = [...configurations, configuration].sort((a, b) => a.index - b.index);
  onChanged(core);
}

/** Entries from `from` on were cut away. */
export function onTruncated(core: Core, from: Index): void {
  const { configurations } = core.state;
  if ((configurations.at(-1)?.index ?? 0) < from) return;
  core.state.configurations = configurations.filter((configuration) => configuration.index < from);
  onChanged(core);
}

/** A snapshot replaced the log. */
export function onReplaced(core: Core, configuration: Configuration): void {
  core.state.configurations = [configuration];
  onChanged(core);
}

/** A snapshot stands for faulty entries, which may have defined configurations that this server did not know. */
export function onAdopted(core: Core, snapshot: SnapshotMetadata): void {
  const { state } = core;
  const before = currentConfiguration(state);
  const behind = state.configurations.filter((configuration) => configuration.index > snapshot.index);
  state.configurations = [snapshot.configuration, ...behind];
  if (currentConfiguration(state).index !== before.index) onChanged(core);
}

/**
 * The log forgot everything up to `through`: of what lies there, only the newest configuration is still of interest. After a
 * restart the oldest one known is the snapshot's, and the log may have kept entries from before it was defined.
 */
export function onCompacted(core: Core, through: Index): void {
  const { configurations } = core.state;
  const behind = configurations.findIndex((configuration) => configuration.index > through);
  const inForce = (behind === -1 ? configurations.length : behind) - 1;
  if (inForce > 0) core.state.configurations = configurations.slice(inForce);
}

/** A leader keeps a progress for every other member, and for nobody else. What one life of a member had is not what the next has. */
function onChanged(core: Core): void {
  const { state, options } = core;
  const configuration = currentConfiguration(state);
  core.out.events.push({ kind: 'configuration', configuration });
  if (state.leadership === null) return;
  const { progress, seen } = state.leadership;
  for (const id of seen.keys()) if (memberOf(configuration, id) === undefined) seen.delete(id);
  for (let i = progress.length - 1; i >= 0; i--) {
    const member = memberOf(configuration, progress[i]?.id ?? '');
    if (member === undefined || isOtherLife(progress[i], member)) progress.splice(i, 1);
  }
  for (const member of configuration.members) {
    if (member.id === options.id) continue;
    const known = progress.find(({ id }) => id === member.id);
    if (known === undefined) progress.push(newProgress(member, state.log.lastIndex + 1));
    else known.incarnation = member.incarnation;
  }
}

function isOtherLife(progress: Progress | undefined, { incarnation }: Member): boolean {
  return progress !== undefined && progress.incarnation !== null && progress.incarnation !== incarnation;
}
