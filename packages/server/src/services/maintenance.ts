/** etcdserverpb.Maintenance: Status, and the list of alarms, of which there are none yet. */
import { type Consensus, type KvService, type RpcService, StatusCode } from '@quorate/kv';
import { AlarmAction, services, StatusResponse } from '@quorate/kv/api';
import { etcdVersion } from '../version.ts';
import { noLeaderText, unary } from './unary.ts';

export interface MaintenanceView {
  /** Memory that the store occupies, and how much of it holds keys and values. Bytes. */
  storeBytes(): { readonly total: number; readonly inUse: number };
  isLearner(): boolean;
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
      unary(services.Maintenance.Alarm, (request, call, reply) => {
        // Nothing raises an alarm yet, so there is none to list or to disarm.
        if (request.action !== AlarmAction.ACTIVATE) return reply({ header: kv.header(), alarms: [] });
        call.end({ code: StatusCode.unimplemented, message: 'etcdserver: alarms cannot be raised by hand' });
      }),
    ]),
  };
}
