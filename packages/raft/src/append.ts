/** Where a leader's own entries are made. */
import { invariant } from './invariant.ts';
import { append } from './log.ts';
import { onAppended } from './membership.ts';
import type { Core } from './state.ts';
import type { EntryKind } from './types.ts';
import { weightOf } from './weight.ts';

/** A leader appends an entry of its own term. The followers get it with the next output, before this disk has it (§10.2.1). */
export function appendOwn(core: Core, kind: EntryKind, data: Uint8Array): void {
  const { state } = core;
  invariant(state.leadership !== null, 'only a leader makes entries');
  invariant(!state.leadership.recovering, 'a leader makes no entry while it settles faulty ones');
  const entry = { index: state.log.lastIndex + 1, term: state.term, kind, data };
  append(state.log, entry);
  state.leadership.uncommittedBytes += weightOf(data);
  onAppended(core, entry);
}
