/** What a person may want a run, or a search, to come to from this moment on. */
import type { Predicate } from '../engine/predicates.ts';
import { frame } from './store.ts';

export function offered(): readonly Predicate[] {
  const servers = frame.value?.servers ?? [];
  const commit = Math.max(0, ...servers.map(({ log }) => log.commit));
  const term = Math.max(0, ...servers.map((server) => server.term));
  return [
    { kind: 'leader', server: null },
    ...servers.map(({ id }): Predicate => ({ kind: 'leader', server: id })),
    { kind: 'commit', atLeast: commit + 1 },
    { kind: 'commit', atLeast: commit + 10 },
    { kind: 'term', atLeast: term + 1 },
    { kind: 'twoLeaders' },
    { kind: 'conflict' },
    { kind: 'agreed' },
    { kind: 'violation' },
  ];
}
