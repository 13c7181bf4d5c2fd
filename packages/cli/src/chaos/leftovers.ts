/** What a run that was killed left behind: servers, namespaces, mounts, directories. The next run clears it away. */
import { isAlive, removeAbandoned } from '@quorate/processes';
import { namespaceOwners, removeNamespaces } from './namespaces.ts';
import { unmountBelow } from './small-disks.ts';

/** How the names of runs' directories begin. */
export const RUN_KIND = 'quorate-chaos-';

/** Clears away what belongs to processes that are gone. Returns what it did, in sentences. */
export function removeLeftovers(): readonly string[] {
  const done = [...removeAbandoned(RUN_KIND, unmountBelow)];
  for (const pid of namespaceOwners()) {
    if (isAlive(pid)) continue;
    removeNamespaces(pid);
    done.push(`removed the network namespaces of a run that is gone (process ${pid})`);
  }
  return done;
}
