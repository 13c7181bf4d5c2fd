/** A run of a core that counts copies of older entries: n1 and n2 lead in turn, and n2 commits what n1 wrote. Its last step breaks C3. */
import { type CoreAction, type CoreWorldOptions, coreRunTrace, encodeTrace } from '@quorate/sim';

const options: CoreWorldOptions = {
  servers: 3,
  timing: 'order',
  disk: 'atOnce',
  lost: ['heartbeat', 'heartbeatReply'],
  raft: { stableLeadership: false, maxAppendBytes: 1 },
  budgets: { terms: 4, elections: 4, requests: 0, stickiness: 0 },
};

const actions: readonly CoreAction[] = [
  { kind: 'timeout', server: 'n1', timer: 'election' },
  { kind: 'deliver', message: 1 },
  { kind: 'deliver', message: 3 },
  { kind: 'deliver', message: 4 },
  { kind: 'timeout', server: 'n2', timer: 'election' },
  { kind: 'deliver', message: 7 },
  { kind: 'deliver', message: 9 },
  { kind: 'deliver', message: 11 },
  { kind: 'deliver', message: 12 },
  { kind: 'deliver', message: 13 },
  { kind: 'deliver', message: 14 },
];

const broken = {
  invariant: 'C3',
  first: 'entry 1 is of term 1',
  second: 'n2 commits it by counting, as leader of term 2',
};

export const figureEight = { steps: actions.length, text: traceText() };

function traceText(): string {
  const { header, records } = coreRunTrace({ options, bug: 'figure8', actions, broken }, 'test', 'a test');
  return [...encodeTrace(header, records)].join('\n');
}
