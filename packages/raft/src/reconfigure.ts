/**
 * Changes of membership, the leader's side (§6; dissertation §4.3). At most one step is under way: the next is appended when the
 * configuration in force is committed, and never before the leader has committed an entry of its own term. Whoever leads
 * carries on what an earlier leader began.
 */
import { appendOwn } from './append.ts';
import { canDecide, type MemberChange, nextStep, plan } from './change.ts';
import { isJoint } from './configuration.ts';
import { encodeConfiguration } from './configuration-codec.ts';
import { forwardChange } from './forward.ts';
import { isBound, isForeign } from './identity.ts';
import type { ChangeInput } from './input.ts';
import { isLeaving } from './leaving.ts';
import { currentConfiguration } from './membership.ts';
import type { ChangeMembers, ChangeRefusal } from './message.ts';
import { becomeFollower } from './role.ts';
import { envelope, send } from './send.ts';
import type { Core, Leadership, Progress } from './state.ts';
import { heirOf, isHandingOver } from './transfer.ts';
import { type Configuration, EntryKind, type Index, type MemberId } from './types.ts';
import { mayUse, raised } from './versions.ts';

/** A client of this server wants the membership changed. */
export function onChange(core: Core, { id, changes, version }: ChangeInput): void {
  const { state, out } = core;
  const wanted = version ?? currentConfiguration(state).version;
  if (state.role !== 'leader' && state.leader !== null && !isForeign(core)) {
    forwardChange(core, id, wanted, changes);
    return;
  }
  const result = begin(core, changes, wanted);
  const isRefused = typeof result === 'string';
  out.changes.push({
    id,
    index: isRefused ? 0 : result,
    term: state.term,
    refused: isRefused ? result : null,
    unknown: false,
  });
}

/** A follower's client does. */
export function onChangeMembers(core: Core, message: ChangeMembers): void {
  const { from, id, changes, version, term } = message;
  const result = term === core.state.term ? begin(core, changes, version) : 'noLeader';
  const answer = typeof result === 'string' ? { index: 0, refused: result } : { index: result, refused: null };
  send(core, { kind: 'changeMembersReply', ...envelope(core, from), id, ...answer });
}

/** Appends the first step of a change, or says why not. */
function begin(core: Core, changes: readonly MemberChange[], version: number): Index | ChangeRefusal {
  const { state } = core;
  const { leadership } = state;
  if (isForeign(core)) return 'foreignIncarnation';
  if (leadership === null) return 'noLeader';
  if (leadership.recovering) return 'recovering';
  if (!mayUse(core, 'membershipChanges')) return 'versionTooOld';
  if (isHandingOver(core)) return 'leadershipLost';
  const configuration = currentConfiguration(state);
  if (version !== configuration.version) return 'staleView';
  if (state.commitIndex < leadership.termStart) return 'unproven';
  if (isJoint(configuration) || configuration.index > state.commitIndex) return 'changing';
  const planned = plan(configuration, changes);
  if (typeof planned === 'string') return planned;
  if (!keepsQuorum(leadership, core.options.id, configuration, planned)) return 'quorumWouldBeLost';
  return appendConfiguration(core, stepFrom(core, leadership, planned) ?? planned);
}

/** Whether those who would vote at the end answer now: newcomers are waited for, so they count as such. */
function keepsQuorum(
  leadership: Leadership,
  self: MemberId,
  before: Configuration,
  { target }: Configuration,
): boolean {
  if (target === null) return true;
  const isThere = (id: MemberId): boolean => id === self || isAlive(leadership, id);
  const lost = target.successors.map(({ id }) => id);
  const staying = before.voters.filter((id) => !lost.includes(id));
  if (lost.length > 0 && !canDecide(staying, isThere)) return false;
  return canDecide(target.voters, (id) => !staying.includes(id) || isThere(id));
}

/**
 * Carries the change under way one step further, if its last is committed, or raises the version in use. Called when something was applied, and with every
 * heartbeat: then newcomers may have caught up.
 */
export function driveChange(core: Core): void {
  const { state } = core;
  const { leadership } = state;
  if (leadership === null) return;
  const configuration = currentConfiguration(state);
  const isSettled = configuration.index <= state.commitIndex && state.commitIndex >= leadership.termStart;
  if (leadership.recovering || !isSettled || isLeaving(core)) return;
  const isChanging = configuration.target !== null || isJoint(configuration);
  const step = isChanging ? stepFrom(core, leadership, configuration) : null;
  const next = step ?? raised(core, leadership, configuration);
  if (next !== null) appendConfiguration(core, next);
}

/** The next step, unless it would make voters of servers that do not answer. */
function stepFrom(core: Core, leadership: Leadership, configuration: Configuration): Configuration | null {
  const next = nextStep(configuration, (id) => hasCaughtUp(core, leadership, id));
  if (next === null || !isJoint(next)) return next;
  const isThere = (id: MemberId): boolean => id === core.options.id || isAlive(leadership, id);
  return canDecide(next.voters, isThere) ? next : null;
}

/**
 * It holds all that the log held a moment ago, and its state machine is not far behind: as a voter it will keep neither the others
 * waiting (dissertation §4.2.1) nor, should it lead, its clients.
 */
function hasCaughtUp(core: Core, leadership: Leadership, id: MemberId): boolean {
  if (id === core.options.id) return true;
  const progress = progressOf(leadership, id);
  if (progress === undefined || progress.state !== 'replicate' || !isBound(core, id)) return false;
  return isAlive(leadership, id) && progress.match >= leadership.catchUpTo && !progress.behind;
}

function isAlive(leadership: Leadership, id: MemberId): boolean {
  const progress = progressOf(leadership, id);
  return progress !== undefined && (progress.active || progress.wasActive);
}

function progressOf(leadership: Leadership, id: MemberId): Progress | undefined {
  return leadership.progress.find((it) => it.id === id);
}

function appendConfiguration(core: Core, configuration: Configuration): Index {
  const index = core.state.log.lastIndex + 1;
  appendOwn(core, EntryKind.configuration, encodeConfiguration(configuration));
  return index;
}

/** A leader that votes no more leaves when all that it has taken is committed (leaving.ts). Called when something was applied: all that is committed will be. */
export function driveLeaving(core: Core): void {
  const { state } = core;
  const { leadership } = state;
  if (leadership === null || !isLeaving(core) || state.commitIndex < state.log.lastIndex) return;
  // Somebody may have been told before.
  const heir = state.transfer?.sent === true ? null : heirOf(core, leadership);
  // A lease ends with the leadership, below: the heir is elected past all protection.
  if (heir !== null) send(core, { kind: 'timeoutNow', ...envelope(core, heir.id) });
  becomeFollower(core, state.term, null, 'is no voter any more');
}
