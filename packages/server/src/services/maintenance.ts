/** etcdserverpb.Maintenance: Status, MoveLeader, and the list of alarms, of which there are none yet. */
import { type Consensus, etcdErrors, type KvService, type RpcService, type RpcStatus, StatusCode } from '@quorate/kv';
import { AlarmAction, services, StatusResponse } from '@quorate/kv/api';
import { isVoter } from '@quorate/raft';
import { RaftError, type RaftNode } from '@quorate/runtime';
import { idText } from '../identity.ts';
import { etcdVersion } from '../version.ts';
import { noLeaderText, unary } from './unary.ts';

export interface MaintenanceView {
  /** Memory that the store occupies, and how much of it holds keys and values. Bytes. */
  storeBytes(): { readonly total: number; readonly inUse: number };
  isLearner(): boolean;
  readonly node: Pick<RaftNode, 'id' | 'isLeader' | 'configuration' | 'transferLeadership'>;
}

export function createMaintenanceService(kv: KvService, consensus: Consensus, view: MaintenanceView): RpcService {
  return {
    methods: new Map([
      unary(services.Maintenance.Status, (_request, _call, reply) => {
        const { leader } = consensus.leadership();
        const { appliedIndex, committedIndex, term } = consensus.progress();
        const { total, inUse } = view.storeBytes();
        reply(
          StatusResponse.create({
            header: kv.header(),
            version: etcdVersion,
            dbSize: total,
            dbSizeInUse: inUse,
            leader,
            raftIndex: committedIndex,
            raftTerm: term,
            raftAppliedIndex: appliedIndex,
            errors: leader === 0n ? [noLeaderText] : [],
            isLearner: view.isLearner(),
          }),
        );
      }),
      unary(services.Maintenance.MoveLeader, ({ targetID }, call, reply) => {
        const target = idText(targetID);
        const { node } = view;
        if (!node.isLeader) return call.end({ ...etcdErrors.notLeader, outcome: 'refused' });
        if (!isVoter(node.configuration, target)) return call.end({ ...etcdErrors.badTransferee, outcome: 'refused' });
        node.transferLeadership(target).then(
          () => reply({ header: kv.header() }),
          (error: unknown) => call.end(transferStatus(error)),
        );
      }),
      unary(services.Maintenance.Alarm, (request, call, reply) => {
        // Nothing raises an alarm yet, so there is none to list or to disarm.
        if (request.action !== AlarmAction.ACTIVATE) return reply({ header: kv.header(), alarms: [] });
        call.end({ code: StatusCode.unimplemented, message: 'etcdserver: alarms cannot be raised by hand' });
      }),
    ]),
  };
}

function transferStatus(error: unknown): RpcStatus {
  if (!(error instanceof RaftError)) return { code: StatusCode.internal, message: String(error) };
  if (error.code === 'NotLeader') return { ...etcdErrors.notLeader, outcome: 'refused' };
  switch (error.reason) {
    case 'busy':
      return { ...etcdErrors.tooManyRequests, outcome: 'refused' };
    case 'leadershipLost':
      return { ...etcdErrors.leaderChanged, outcome: 'unknown' };
    default:
      return { ...etcdErrors.transferTimeout, outcome: 'unknown' };
  }
}
