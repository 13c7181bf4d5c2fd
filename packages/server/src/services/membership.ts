/** quorate.v1.Membership: what etcd's Cluster service cannot say, whole changes in one step, trial runs, and progress. */
import { etcdErrors, type KvService, type RpcService, type RpcStatus, StatusCode } from '@quorate/kv';
import {
  MembershipChangeResponse,
  MembershipView,
  MembershipViewResponse,
  MemberOperation,
  MemberView,
  type MemberWish,
  services,
} from '@quorate/kv/api';
import { type Configuration, isJoint, isVoter, type MemberChange, memberOf, plan } from '@quorate/raft';
import { changeRefusalMessage } from '@quorate/runtime';
import { addedMemberId, idText } from '../identity.ts';
import { changeRefusalStatus, type MembershipChanger } from '../membership/changer.ts';
import { contextOf, readContext } from '../raft/member-context.ts';
import { type ClusterView, urlsFault } from './cluster.ts';
import { unary } from './unary.ts';

export interface MembershipServiceView extends ClusterView {
  /** Monotonic, microseconds. */
  now(): number;
  /** A member that has been silent this long does not answer at present. Microseconds. */
  readonly silence: number;
}

export function createMembershipService(
  kv: KvService,
  changer: MembershipChanger,
  view: MembershipServiceView,
): RpcService {
  const { node } = view;
  return {
    methods: new Map([
      unary(services.Membership.View, (_request, _call, reply) => {
        reply(MembershipViewResponse.create({ header: kv.header(), view: viewOf(view, node.configuration) }));
      }),
      unary(services.Membership.Change, (request, call, reply) => {
        const { wishes, dryRun, atVersion, version } = request;
        const ids = wishes.map((wish) => (wish.ID === 0n ? addedMemberId(wish.peerURLs, view.unixSeconds()) : wish.ID));
        const added = ids.filter((_, at) => wishes[at]?.op === MemberOperation.ADD).map((ID) => ({ ID }));
        const answer = (configuration: Configuration): void => {
          const shown = viewOf(view, configuration);
          reply(MembershipChangeResponse.create({ header: kv.header(), added, view: shown }));
        };
        const decide = (configuration: Configuration): readonly MemberChange[] | RpcStatus => {
          if (atVersion && configuration.version !== version) return changeRefusalStatus('staleView');
          return changesOf(configuration, wishes, ids);
        };
        if (dryRun) {
          const planned = planOf(node.configuration, decide(node.configuration));
          if ('code' in planned) call.end({ ...planned, outcome: 'refused' });
          else answer(planned);
          return;
        }
        const wish = { decide, ...(atVersion ? { version } : {}) };
        changer.change(wish, call.deadline, (failure) => {
          if (failure === null) answer(node.configuration);
          else call.end(failure);
        });
      }),
    ]),
  };
}

function planOf(configuration: Configuration, changes: readonly MemberChange[] | RpcStatus): Configuration | RpcStatus {
  if ('code' in changes) return changes;
  if (isJoint(configuration)) return { code: StatusCode.unavailable, message: changeRefusalMessage('changing') };
  const planned = plan(configuration, changes);
  return typeof planned === 'string' ? changeRefusalStatus(planned) : planned;
}

function changesOf(
  configuration: Configuration,
  wishes: readonly MemberWish[],
  ids: readonly bigint[],
): readonly MemberChange[] | RpcStatus {
  const changes: MemberChange[] = [];
  const taken = new Set<string>();
  for (const [at, wish] of wishes.entries()) {
    const change = changeOf(configuration, wish, idText(ids[at] ?? 0n));
    if ('code' in change) return change;
    if (wish.peerURLs.some((url) => taken.has(url))) return etcdErrors.peerUrlExists;
    for (const url of wish.peerURLs) taken.add(url);
    changes.push(change);
  }
  return changes.length === 0 ? changeRefusalStatus('nothingChanges') : changes;
}

function changeOf(configuration: Configuration, wish: MemberWish, id: string): MemberChange | RpcStatus {
  const { op, name, peerURLs, voter, incarnation } = wish;
  switch (op) {
    case MemberOperation.ADD: {
      if (memberOf(configuration, id) !== undefined) return etcdErrors.memberExists;
      const fault = urlsFault(configuration, peerURLs, null);
      return fault ?? { op: 'add', id, context: contextOf({ name, peerURLs }), voter };
    }
    case MemberOperation.UPDATE: {
      const member = memberOf(configuration, id);
      if (member === undefined) return etcdErrors.memberNotFound;
      const context = contextOf({ ...readContext(member.context), peerURLs });
      return urlsFault(configuration, peerURLs, id) ?? { op: 'update', id, context };
    }
    case MemberOperation.READMIT:
      if (/^[0-9a-f]{16}$/.test(incarnation)) return { op: 'readmit', id, incarnation };
      return { code: StatusCode.invalidArgument, message: `"${incarnation}" is no incarnation: 16 hexadecimal digits` };
    case MemberOperation.REMOVE:
      return { op: 'remove', id };
    case MemberOperation.PROMOTE:
      return { op: 'promote', id };
    case MemberOperation.DEMOTE:
      return { op: 'demote', id };
    default:
      return { code: StatusCode.invalidArgument, message: `there is no operation ${String(op)} on members` };
  }
}

function viewOf(view: MembershipServiceView, configuration: Configuration): MembershipView {
  const status = view.node.status();
  return MembershipView.create({
    version: configuration.version,
    underWay: isUnderWay(configuration, status.commitIndex),
    joint: isJoint(configuration),
    leaderId: status.leader === null ? 0n : BigInt(`0x${status.leader}`),
    lastIndex: status.lastIndex,
    members: configuration.members.map((member) => {
      const ID = BigInt(`0x${member.id}`);
      const { name, peerURLs } = readContext(member.context);
      const published = view.published(ID);
      return MemberView.create({
        ID,
        name: published?.name ?? name,
        peerURLs: [...peerURLs],
        clientURLs: [...(published?.clientURLs ?? [])],
        voter: isVoter(configuration, member.id),
        becomes: fateOf(configuration, member.id),
        incarnation: member.incarnation ?? '',
        ...progressOf(view, status, member.id),
      });
    }),
  });
}

function isUnderWay(configuration: Configuration, commitIndex: number): boolean {
  return configuration.target !== null || isJoint(configuration) || configuration.index > commitIndex;
}

function fateOf({ target, voters, outgoing, learnersNext }: Configuration, id: string): 'voter' | 'learner' | 'gone' {
  if (target?.leaving.includes(id) === true) return 'gone';
  if (outgoing.includes(id) && !voters.includes(id) && !learnersNext.includes(id)) return 'gone';
  return (target?.voters ?? voters).includes(id) ? 'voter' : 'learner';
}

type Status = ReturnType<ClusterView['node']['status']>;

function progressOf(
  view: MembershipServiceView,
  status: Status,
  id: string,
): Pick<MemberView, 'progressKnown' | 'answers' | 'matchIndex'> {
  if (status.role !== 'leader') return { progressKnown: false, answers: false, matchIndex: 0 };
  if (status.id === id) return { progressKnown: true, answers: true, matchIndex: status.lastIndex };
  const follower = status.followers.find((each) => each.id === id);
  const contact = follower?.lastContact ?? null;
  return {
    progressKnown: true,
    answers: contact !== null && view.now() - contact < view.silence,
    matchIndex: follower?.matchIndex ?? 0,
  };
}
