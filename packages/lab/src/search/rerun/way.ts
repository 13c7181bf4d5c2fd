/** What was decided in a run, so that another run can do the same; steps that are left out shift no others. */
import type { LabAction } from '../action.ts';
import { whyNot } from '../enabled.ts';
import type { LabMessage } from '../message.ts';
import { codeOf } from '../plain-code.ts';
import { Telling } from '../telling.ts';
import { RerunCluster, type RerunOptions } from './rerun-cluster.ts';

export interface Decision {
  readonly action: LabAction;
  /** What a message says that the action names: numbers are others in another run. */
  readonly message: string | null;
  /** The scenario did it, not the search. */
  readonly isScenarios: boolean;
}

export function decisionOf(cluster: RerunCluster, action: LabAction, isScenarios: boolean): Decision {
  const flight = 'message' in action ? cluster.flights.find(({ id }) => id === action.message) : undefined;
  return { action, message: flight === undefined ? null : codeOfMessage(flight.message), isScenarios };
}

function codeOfMessage(message: LabMessage): string {
  return codeOf({ ...message });
}

/** Does all that can be done of it, in order. */
export async function replay(cluster: RerunCluster, way: readonly Decision[]): Promise<void> {
  for (const decision of way) {
    const action = actionOf(cluster, decision);
    if (action === null) continue;
    await cluster.perform(action, decision.isScenarios);
    if (cluster.broken !== null) return;
  }
}

/** Null where it cannot be done any more. */
function actionOf(cluster: RerunCluster, { action, message, isScenarios }: Decision): LabAction | null {
  if (isScenarios) return isPossible(cluster, action) ? action : null;
  if (message === null || !('message' in action)) return whyNot(cluster, action) === null ? action : null;
  const flight = cluster.flights.find((each) => codeOfMessage(each.message) === message);
  const found = flight === undefined ? null : { ...action, message: flight.id };
  return found !== null && whyNot(cluster, found) === null ? found : null;
}

/** A client may ask whom it likes, if somebody is there. */
function isPossible(cluster: RerunCluster, action: LabAction): boolean {
  if (!('server' in action)) return true;
  const status = cluster.servers[action.server]?.status;
  return action.kind === 'restart' ? status !== 'up' : status === 'up';
}

/** Walks the way once more, and tells it. */
export async function tellWay(
  options: RerunOptions,
  way: readonly Decision[],
  before: readonly string[] = [],
): Promise<{ readonly telling: Telling; readonly broken: RerunCluster['broken'] }> {
  const cluster = new RerunCluster(options);
  try {
    await cluster.begin();
    const telling = new Telling(cluster);
    telling.lines.push(...before);
    for (const decision of way) {
      const action = actionOf(cluster, decision);
      if (action === null) continue;
      const servers = cluster.servers;
      const step = await cluster.perform(action, decision.isScenarios);
      telling.note(step, servers);
      if (cluster.broken !== null) break;
    }
    telling.end();
    return { telling, broken: cluster.broken };
  } finally {
    cluster.end();
  }
}
