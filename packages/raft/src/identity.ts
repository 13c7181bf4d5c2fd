/**
 * Identity is (member, incarnation). A server that lost its disk has forgotten what it promised, so it comes back as another
 * incarnation, and nothing it says counts as the member's word. The first incarnation of each founding member that a leader
 * hears from is bound by a configuration entry; from then on, acknowledgements of any other are not counted, and until then
 * none are: so every entry that an incarnation helped to commit stands behind the entry that binds it.
 */
import { bind, boundIncarnation, isFormer } from './configuration.ts';
import { encodeConfiguration } from './configuration-codec.ts';
import { currentConfiguration } from './membership.ts';
import { appendOwn } from './append.ts';
import type { Core } from './state.ts';
import { EntryKind, type Incarnation, type MemberId } from './types.ts';

/** Whether this server itself is an incarnation that the cluster does not count on. */
export function isForeign(core: Core): boolean {
  return isImpostor(core, core.options.id, core.options.incarnation);
}

/** Whether this server knows itself to be the life that counts. */
export function isBoundHere(core: Core): boolean {
  return boundIncarnation(currentConfiguration(core.state), core.options.id) === core.options.incarnation;
}

/**
 * Whether this server begins in no configuration and none has reached it yet. It may be a former life's successor on an empty disk,
 * and knows nothing of what that promised; whoever is let in is sent the log, and with it a configuration, before its vote is needed.
 */
export function isStranger(core: Core): boolean {
  return currentConfiguration(core.state).members.length === 0;
}

/** Whether another incarnation of `member` is bound. An unbound member, or an unknown one, may be anyone. */
export function isImpostor(core: Core, member: MemberId, incarnation: Incarnation): boolean {
  const bound = boundIncarnation(currentConfiguration(core.state), member);
  return bound !== null && bound !== incarnation;
}

/** Whether an acknowledgement by `member` counts towards a commit. */
export function isBound(core: Core, member: MemberId): boolean {
  return boundIncarnation(currentConfiguration(core.state), member) !== null;
}

/**
 * A leader hears an answer: is it by the incarnation that counts? The first one of an unbound member is bound by an entry; a
 * second one, before that entry stands, is refused, and so is one that has left the cluster.
 */
export function acceptsAnswer(core: Core, member: MemberId, incarnation: Incarnation): boolean {
  const { leadership } = core.state;
  const configuration = currentConfiguration(core.state);
  const bound = boundIncarnation(configuration, member) ?? leadership?.seen.get(member) ?? null;
  if (bound === null && !isFormer(configuration, member, incarnation)) {
    leadership?.seen.set(member, incarnation);
    bindSeen(core);
    return true;
  }
  if (bound === incarnation) return true;
  core.out.events.push({ kind: 'foreignIncarnation', member, bound, seen: incarnation });
  return false;
}

/** Appends the entry that binds every incarnation seen and not yet bound. Touches no quorum, so it need not wait for any. */
export function bindSeen(core: Core): void {
  const { state } = core;
  const { leadership } = state;
  const configuration = currentConfiguration(state);
  // While faulty entries are being settled nothing is appended; the term begins with this.
  if (leadership === null || leadership.recovering) return;
  const news = configuration.members.some((member) => member.incarnation === null && leadership.seen.has(member.id));
  if (!news) return;
  const bound = bind(configuration, state.log.lastIndex + 1, leadership.seen);
  appendOwn(core, EntryKind.configuration, encodeConfiguration(bound));
}
