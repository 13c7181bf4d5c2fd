/**
 * etcdserverpb.Cluster. Every server takes these calls and carries them to the leader. A member that is added as a voter is a
 * learner until it has caught up: until then it is shown as one.
 */
import { etcdErrors, type KvService, type RpcCall, type RpcService, type RpcStatus } from '@quorate/kv';
import { type Member, Member as MemberMessage, services } from '@quorate/kv/api';
import { type Configuration, isVoter, type MemberId, memberOf } from '@quorate/raft';
import type { RaftNode } from '@quorate/runtime';
import { parseUrls } from '../config/urls.ts';
import { addedMemberId, idText } from '../identity.ts';
import type { MembershipChanger, Wish } from '../membership/changer.ts';
import { contextOf, readContext } from '../raft/member-context.ts';
import { unary } from './unary.ts';

export interface ClusterView {
  readonly node: Pick<RaftNode, 'configuration' | 'isLeader' | 'status'>;
  /** What a member has told of itself, if it has. */
  published(id: bigint): Member | undefined;
  /** Unix time, seconds. */
  unixSeconds(): number;
}

/** A learner may be promoted when it holds this share of the leader's log: etcd's figure. */
const readyShare = 0.9;

export function createClusterService(kv: KvService, changer: MembershipChanger, view: ClusterView): RpcService {
  const { node } = view;
  const answer = (): { header: ReturnType<KvService['header']>; members: Member[] } => ({
    header: kv.header(),
    members: listMembers(view),
  });
  const perform = (call: RpcCall, wish: Wish, done: () => void): void => {
    changer.change(wish, call.deadline, (failure) => {
      if (failure === null) done();
      else call.end(failure);
    });
  };
  return {
    methods: new Map([
      unary(services.Cluster.MemberList, (request, call, reply) => {
        if (!request.linearizable) return reply(answer());
        kv.linearize(call.deadline, (failure) => {
          if (failure === null) reply(answer());
          else call.end(failure);
        });
      }),
      unary(services.Cluster.MemberAdd, ({ peerURLs, isLearner }, call, reply) => {
        const id = addedMemberId(peerURLs, view.unixSeconds());
        const wish: Wish = {
          decide: (configuration) => {
            // Twice within a second; etcd looks at the id before the addresses.
            if (memberOf(configuration, idText(id)) !== undefined) return etcdErrors.memberExists;
            const fault = urlsFault(configuration, peerURLs, null);
            if (fault !== null) return fault;
            const context = contextOf({ name: '', peerURLs });
            return [{ op: 'add', id: idText(id), context, voter: !isLearner }];
          },
        };
        perform(call, wish, () => {
          const all = answer();
          reply({ ...all, member: all.members.find((member) => member.ID === id) });
        });
      }),
      unary(services.Cluster.MemberRemove, (request, call, reply) => {
        const id = idText(request.ID);
        const wish: Wish = {
          decide: () => [{ op: 'remove', id }],
          isDone: (configuration) => memberOf(configuration, id) === undefined,
        };
        perform(call, wish, () => reply(answer()));
      }),
      unary(services.Cluster.MemberUpdate, ({ ID, peerURLs }, call, reply) => {
        const id = idText(ID);
        const wish: Wish = {
          decide: (configuration) => {
            const member = memberOf(configuration, id);
            if (member === undefined) return etcdErrors.memberNotFound;
            const fault = urlsFault(configuration, peerURLs, id);
            if (fault !== null) return fault;
            return [{ op: 'update', id, context: contextOf({ ...readContext(member.context), peerURLs }) }];
          },
        };
        perform(call, wish, () => reply(answer()));
      }),
      unary(services.Cluster.MemberPromote, (request, call, reply) => {
        const id = idText(request.ID);
        perform(call, promotion(node, id), () => reply(answer()));
      }),
    ]),
  };
}

function promotion(node: ClusterView['node'], id: MemberId): Wish {
  let isAsked = false;
  return {
    decide: (configuration) => {
      const member = memberOf(configuration, id);
      if (member === undefined) return etcdErrors.memberNotFound;
      if (isVoter(configuration, id)) return isAsked ? [] : etcdErrors.memberNotLearner;
      if (member.incarnation === null || isKnownToLag(node, id)) return etcdErrors.learnerNotReady;
      isAsked = true;
      return configuration.target?.voters.includes(id) === true ? [] : [{ op: 'promote', id }];
    },
    isDone: ({ voters, outgoing }) => voters.includes(id) && outgoing.length === 0,
    tooLate: etcdErrors.timeout,
  };
}

/** Only the leader knows how far a learner is; elsewhere the promotion waits until it has caught up. */
function isKnownToLag(node: ClusterView['node'], id: MemberId): boolean {
  if (!node.isLeader) return false;
  const { followers, commitIndex } = node.status();
  const follower = followers.find((each) => each.id === id);
  return follower === undefined || follower.matchIndex < commitIndex * readyShare;
}

/** Why a member cannot be at these addresses, or null. */
export function urlsFault(
  { members }: Configuration,
  peerURLs: readonly string[],
  except: MemberId | null,
): RpcStatus | null {
  if (peerURLs.length === 0 || peerURLs.some((url) => 'fault' in parseUrls(url))) return etcdErrors.memberUrlsInvalid;
  const taken = members.filter(({ id }) => id !== except).flatMap(({ context }) => readContext(context).peerURLs);
  return peerURLs.some((url) => taken.includes(url)) ? etcdErrors.peerUrlExists : null;
}

/** Every member of the configuration by rising id. Until a member has published itself, its name is empty, as in etcd. */
export function listMembers({ node, published }: Pick<ClusterView, 'node' | 'published'>): Member[] {
  const { configuration } = node;
  const members = configuration.members.map((member) => {
    const id = BigInt(`0x${member.id}`);
    const told = published(id);
    const { peerURLs } = readContext(member.context);
    return MemberMessage.create({
      ID: id,
      name: told?.name ?? '',
      peerURLs: [...peerURLs],
      clientURLs: [...(told?.clientURLs ?? [])],
      isLearner: configuration.learners.includes(member.id),
    });
  });
  return members.sort((a, b) => (a.ID < b.ID ? -1 : 1));
}
