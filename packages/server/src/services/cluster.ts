/** etcdserverpb.Cluster, as far as it only looks: changes of membership come with a later version. */
import type { KvService, RpcService } from '@quorate/kv';
import { type Member, Member as MemberMessage, services } from '@quorate/kv/api';
import type { Configuration } from '@quorate/raft';
import { readContext } from '../raft/member-context.ts';
import { unary } from './unary.ts';

export interface ClusterView {
  configuration(): Configuration;
  /** What a member has told of itself, if it has. */
  published(id: bigint): Member | undefined;
}

export function createClusterService(kv: KvService, view: ClusterView): RpcService {
  return {
    methods: new Map([
      unary(services.Cluster.MemberList, (request, call, reply) => {
        const answer = (): void => reply({ header: kv.header(), members: listMembers(view) });
        if (!request.linearizable) {
          answer();
          return;
        }
        kv.linearize(call.deadline, (failure) => {
          if (failure === null) answer();
          else call.end(failure);
        });
      }),
    ]),
  };
}

/** Every member of the configuration by rising id. Until a member has published itself, its name is empty, as in etcd. */
export function listMembers(view: ClusterView): Member[] {
  const configuration = view.configuration();
  const members = configuration.members.map((member) => {
    const id = BigInt(`0x${member.id}`);
    const published = view.published(id);
    const { peerURLs } = readContext(member.context);
    return MemberMessage.create({
      ID: id,
      name: published?.name ?? '',
      peerURLs: [...peerURLs],
      clientURLs: [...(published?.clientURLs ?? [])],
      isLearner: configuration.learners.includes(member.id),
    });
  });
  return members.sort((a, b) => (a.ID < b.ID ? -1 : 1));
}
