/** Ports from a range that the user names, for machines where a firewall lets only those through. */
import { isFree } from '@quorate/processes';
import { EvaluationError } from '../errors.ts';
import type { PortSource } from './harness.ts';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Hands out free ports of the range, lowest first.
 * @throws EvaluationError `TooFewPorts` when the range is shorter than `needed`; the source rejects so when too many are taken
 */
export function portsBetween({ from, to }: PortRange, needed: number): PortSource {
  const length = to - from + 1;
  if (length < needed) throw tooFew(`${from} to ${to} are ${length} ports, and up to ${needed} are needed at once`);
  return async (count) => {
    const ports: number[] = [];
    for (let port = from; port <= to && ports.length < count; port++) if (await isFree(port)) ports.push(port);
    if (ports.length < count) throw tooFew(`Only ${ports.length} ports from ${from} to ${to} are free, not ${count}`);
    return ports;
  };
}

function tooFew(what: string): EvaluationError {
  return new EvaluationError('TooFewPorts', `${what}. Give a longer range with --ports, or leave it to the system.`);
}
