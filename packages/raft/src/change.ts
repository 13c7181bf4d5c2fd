/**
 * Changes of membership as functions of configurations (§6; dissertation §4.3). Joint consensus only: any set of changes is one step
 * from the voters there are to those there are to be, through a configuration in which every decision needs both.
 *
 * A change is written down as the target of a configuration. Newcomers are learners at first and cost the quorum nothing; when all
 * that are to vote have caught up, the configuration becomes joint, and when that is committed, the outgoing half goes. A voter
 * that lost its disk leaves the voters first, and comes back as another life.
 */
import { compareIds, isJoint, isVoter, maxFormer, memberProblem } from './configuration.ts';
import { invariant } from './invariant.ts';
import type { Configuration, Incarnation, Life, Member, MemberId, Target } from './types.ts';

/** One wish; a change is a set of them, at most one for each member. */
export type MemberChange =
  /** Lets a server in, under an id that no member has. A voter is a learner until it has caught up. */
  | { readonly op: 'add'; readonly id: MemberId; readonly context: string; readonly voter: boolean }
  | { readonly op: 'remove'; readonly id: MemberId }
  /** Makes a learner a voter, when it has caught up. */
  | { readonly op: 'promote'; readonly id: MemberId }
  /** Makes a voter a learner. */
  | { readonly op: 'demote'; readonly id: MemberId }
  /** Changes what the embedder keeps with the member, an address for example. Touches neither quorum nor role. */
  | { readonly op: 'update'; readonly id: MemberId; readonly context: string }
  /** The member lost its disk and begins anew, as this life. It is a learner until it has caught up. */
  | { readonly op: 'readmit'; readonly id: MemberId; readonly incarnation: Incarnation };

/** Why a change cannot be made at all, whoever is asked. */
export type ChangeProblem =
  /** A member stands in the change twice. */
  | 'repeated'
  /** No member has that id. */
  | 'unknownMember'
  /** A member has that id already. */
  | 'alreadyMember'
  /** It is a voter, or on its way to be one. */
  | 'alreadyVoter'
  /** It is a learner, or on its way to be one. */
  | 'alreadyLearner'
  /** That very life is the one that counts, or none is bound yet, so that there is none to replace. */
  | 'alreadyBound'
  /** That life of the member has left the cluster; a server begins anew with an empty data directory. */
  | 'formerLife'
  /** An id or context is too long, or there would be too many members. */
  | 'malformed'
  /** Nobody would vote. */
  | 'noVoters'
  /** The change names nobody. */
  | 'nothingChanges';

/** What a change makes of `configuration`, written down as its target, with everything done that needs no quorum's consent. */
export function plan(configuration: Configuration, changes: readonly MemberChange[]): Configuration | ChangeProblem {
  invariant(!isJoint(configuration), 'a change is planned between two others');
  const draft = draftOf(configuration);
  const seen = new Set<MemberId>();
  for (const change of changes) {
    if (seen.has(change.id)) return 'repeated';
    seen.add(change.id);
    const problem = enact(draft, configuration, change);
    if (problem !== null) return problem;
  }
  if (changes.length === 0) return 'nothingChanges';
  const members = [...draft.members.values()].sort((a, b) => compareIds(a.id, b.id));
  if (memberProblem(members) !== null) return 'malformed';
  const voters = [...draft.voters].sort(compareIds);
  if (voters.length === 0 || remaining(configuration, draft).length === 0) return 'noVoters';
  return {
    ...configuration,
    version: configuration.version + 1,
    learners: members.map(({ id }) => id).filter((id) => !isVoter(configuration, id)),
    members,
    target: targetOf(configuration, voters, draft),
    former: draft.former.slice(-maxFormer),
  };
}

/** The change while it is put together: members as they will stand now, and who votes at its end. */
interface Draft {
  readonly members: Map<MemberId, Member>;
  readonly voters: Set<MemberId>;
  readonly leaving: Set<MemberId>;
  readonly successors: Map<MemberId, Incarnation>;
  readonly former: Life[];
}

/** A change that is still under way goes on: what is wished now is added to it. */
function draftOf({ members, voters, target, former }: Configuration): Draft {
  return {
    members: new Map(members.map((member) => [member.id, member])),
    voters: new Set(target?.voters ?? voters),
    leaving: new Set(target?.leaving ?? []),
    successors: new Map((target?.successors ?? []).map(({ id, incarnation }) => [id, incarnation])),
    former: [...former],
  };
}

function enact(draft: Draft, configuration: Configuration, change: MemberChange): ChangeProblem | null {
  const { id } = change;
  const member = draft.members.get(id);
  if (change.op === 'add') {
    if (member !== undefined) return 'alreadyMember';
    draft.members.set(id, { id, incarnation: null, context: change.context });
    if (change.voter) draft.voters.add(id);
    return null;
  }
  if (member === undefined) return 'unknownMember';
  switch (change.op) {
    case 'remove':
      return remove(draft, configuration, member);
    case 'promote':
      if (draft.voters.has(id)) return 'alreadyVoter';
      draft.voters.add(id);
      draft.leaving.delete(id);
      return null;
    case 'demote':
      if (!draft.voters.delete(id)) return 'alreadyLearner';
      return null;
    case 'update':
      draft.members.set(id, { ...member, context: change.context });
      return null;
    case 'readmit':
      return readmit(draft, configuration, member, change.incarnation);
  }
}

function remove(draft: Draft, configuration: Configuration, member: Member): ChangeProblem | null {
  const { id } = member;
  draft.voters.delete(id);
  draft.successors.delete(id);
  if (isVoter(configuration, id)) {
    draft.leaving.add(id);
    return null;
  }
  draft.members.delete(id);
  noteFormer(draft.former, member);
  return null;
}

function readmit(
  draft: Draft,
  configuration: Configuration,
  member: Member,
  incarnation: Incarnation,
): ChangeProblem | null {
  const { id } = member;
  if (member.incarnation === null || member.incarnation === incarnation) return 'alreadyBound';
  if (draft.former.some((life) => life.id === id && life.incarnation === incarnation)) return 'formerLife';
  if (isVoter(configuration, id)) {
    draft.successors.set(id, incarnation);
    return null;
  }
  // A learner counts for nothing, so another life may take its place at once.
  noteFormer(draft.former, member);
  draft.members.set(id, { ...member, incarnation });
  return null;
}

/** The present voters that can go on voting until newcomers have caught up. */
function remaining({ voters }: Configuration, { successors }: Draft): readonly MemberId[] {
  return voters.filter((id) => !successors.has(id));
}

function noteFormer(former: Life[], { id, incarnation }: Member): void {
  if (incarnation !== null) former.push({ id, incarnation });
}

function targetOf(configuration: Configuration, voters: readonly MemberId[], draft: Draft): Target | null {
  const { leaving, successors } = draft;
  const isReached = isSameList(voters, configuration.voters) && leaving.size === 0 && successors.size === 0;
  if (isReached) return null;
  return {
    voters,
    leaving: [...leaving].sort(compareIds),
    successors: [...successors]
      .map(([id, incarnation]) => ({ id, incarnation }))
      .sort((a, b) => compareIds(a.id, b.id)),
  };
}

/**
 * The next configuration on the way to the target, or null while there is nothing to do: no change is under way, or somebody who is
 * to vote has not caught up.
 */
export function nextStep(configuration: Configuration, hasCaughtUp: (id: MemberId) => boolean): Configuration | null {
  const { voters, target } = configuration;
  if (isJoint(configuration)) return leaveJoint(configuration);
  if (target === null) return null;
  const { successors } = target;
  // Whoever lost its disk cannot vote again before it has left the voters: that need not wait for anyone.
  if (successors.length > 0) return enterJoint(configuration, without(voters, successors));
  if (target.voters.some((id) => !voters.includes(id) && !hasCaughtUp(id))) return null;
  return enterJoint(configuration, target.voters);
}

function without(voters: readonly MemberId[], lives: readonly Life[]): readonly MemberId[] {
  return voters.filter((id) => !lives.some((life) => life.id === id));
}

/** From here on both halves decide. */
function enterJoint(configuration: Configuration, incoming: readonly MemberId[]): Configuration {
  const { voters, learners, target, version } = configuration;
  const goes = (id: MemberId): boolean => target?.leaving.includes(id) === true && !incoming.includes(id);
  return {
    ...configuration,
    version: version + 1,
    voters: incoming,
    outgoing: voters,
    learners: learners.filter((id) => !incoming.includes(id)),
    learnersNext: voters.filter((id) => !incoming.includes(id) && !goes(id)),
  };
}

/** The joint configuration is committed: the outgoing half has no say any more. */
function leaveJoint(configuration: Configuration): Configuration {
  const { version, voters, learners, learnersNext, target } = configuration;
  const gone = configuration.outgoing.filter((id) => !voters.includes(id) && !learnersNext.includes(id));
  const former = [...configuration.former];
  const members: Member[] = [];
  for (const member of configuration.members) {
    const successor = target?.successors.find(({ id }) => id === member.id);
    const isReplaced = successor !== undefined && !voters.includes(member.id);
    if (gone.includes(member.id) || isReplaced) noteFormer(former, member);
    if (gone.includes(member.id)) continue;
    members.push(isReplaced ? { ...member, incarnation: successor.incarnation } : member);
  }
  const rest: Configuration = {
    ...configuration,
    version: version + 1,
    outgoing: [],
    learners: [...learners, ...learnersNext].sort(compareIds),
    learnersNext: [],
    members,
    former: former.slice(-maxFormer),
  };
  return { ...rest, target: restOfTarget(rest) };
}

/** What is left of the change: readmitted members have to catch up yet. */
function restOfTarget({ target, voters, members }: Configuration): Target | null {
  if (target === null) return null;
  const leaving = target.leaving.filter((id) => voters.includes(id));
  if (isSameList(target.voters, voters) && leaving.length === 0) return null;
  invariant(
    target.voters.every((id) => members.some((member) => member.id === id)),
    'who is to vote belongs to the cluster',
  );
  return { voters: target.voters, leaving, successors: [] };
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}

/** How many of `voters` must agree. */
export function majorityOf(voters: readonly MemberId[]): number {
  return Math.floor(voters.length / 2) + 1;
}

/** Whether these servers can decide anything as the voters of `configuration`, were it no longer joint. */
export function canDecide(voters: readonly MemberId[], isAlive: (id: MemberId) => boolean): boolean {
  return voters.filter(isAlive).length >= majorityOf(voters);
}
