/** Ports from a range that the user names, for machines where a firewall lets only those through. */
import { freePorts, isFree, LOOPBACK } from '@quorate/processes';
import { EvaluationError } from '../errors.ts';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Hands out ports that are free. */
export type PortSource = (count: number) => Promise<readonly number[]>;

/** Ports of a server: for clients, for peers, and the relay's. */
const PORTS_OF_A_SERVER = 3;

/** @throws EvaluationError `TooFewPorts` when the range is too short for so many servers in one place */
export function checkRange({ from, to }: PortRange, servers: number): void {
  const length = to - from + 1;
  const needed = servers * PORTS_OF_A_SERVER;
  if (length < needed) throw tooFew(`${from} to ${to} are ${length} ports, and up to ${needed} are needed at once`);
}

/** Ports of this machine that are free at all of these addresses; `range` null: any. */
export function portSource(range: PortRange | null, addresses: readonly string[] = [LOOPBACK]): PortSource {
  if (range === null) return (count) => freePorts(count, { addresses });
  return (count) => portsBetween(range, count, addresses);
}

/** Lowest first. Rejects with `TooFewPorts` when too many are taken. */
async function portsBetween(
  { from, to }: PortRange,
  count: number,
  addresses: readonly string[],
): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let port = from; port <= to && ports.length < count; port++) if (await isFree(port, addresses)) ports.push(port);
  if (ports.length < count) throw tooFew(`Only ${ports.length} ports from ${from} to ${to} are free, not ${count}`);
  return ports;
}

function tooFew(what: string): EvaluationError {
  return new EvaluationError('TooFewPorts', `${what}. Give a longer range with --ports, or leave it out.`);
}
