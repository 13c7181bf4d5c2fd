import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Everything this command starts by itself listens here and nowhere else. */
export const LOOPBACK = '127.0.0.1';

/** How many ports above the wished one are tried before any other is taken. */
const MAX_TRIED_IN_ROW = 20;

/** Linux lends ports from 32768 on to outgoing connections, others from 49152 on. */
const FIRST_PORT = 12_000;
const PORTS_TO_GIVE = 20_000;

export interface ChosenPort {
  readonly port: number;
  /** The wished port if somebody else holds it, otherwise null. */
  readonly insteadOf: number | null;
}

/** Takes each wished port, or where it is taken the next free one; never the same twice. */
export async function choosePorts(wished: readonly number[]): Promise<readonly ChosenPort[]> {
  const taken = new Set<number>();
  const chosen: ChosenPort[] = [];
  for (const wish of wished) {
    const port = await nextFreePort(wish, taken);
    taken.add(port);
    chosen.push({ port, insteadOf: port === wish ? null : wish });
  }
  return chosen;
}

export interface FreePortsOptions {
  /** Next to each other. */
  readonly consecutive?: boolean;
  /** Addresses of this machine at which all of them must be free; loopback if not given. */
  readonly addresses?: readonly string[];
}

/**
 * `count` different ports that are free now. They lie below those that the system lends to outgoing connections: one of these could take a
 * port again before a server listens there. No port is given twice until all others were.
 */
export async function freePorts(
  count: number,
  { consecutive = false, addresses = [LOOPBACK] }: FreePortsOptions = {},
): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let tried = 0; tried < PORTS_TO_GIVE; tried++) {
    const port = nextToGive();
    if (!(await isFree(port, addresses))) continue;
    if (consecutive && ports.length > 0 && port - 1 !== ports.at(-1)) ports.length = 0;
    ports.push(port);
    if (ports.length === count) return ports;
  }
  throw new Error(
    `No ${count} free ports on ${addresses.join(' and ')} from ${FIRST_PORT} to ${FIRST_PORT + PORTS_TO_GIVE - 1}.`,
  );
}

/** Whether a port is free at all of these addresses of this machine. */
export async function isFree(port: number, addresses: readonly string[] = [LOOPBACK]): Promise<boolean> {
  for (const address of addresses) if (!(await canListen(port, address))) return false;
  return true;
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function nextFreePort(wish: number, taken: ReadonlySet<number>): Promise<number> {
  for (let port = wish; port < wish + MAX_TRIED_IN_ROW && port <= 65_535; port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  for (;;) {
    const [port = 0] = await freePorts(1);
    if (!taken.has(port)) return port;
  }
}

let given = randomInt(PORTS_TO_GIVE);

function nextToGive(): number {
  given = (given + 1) % PORTS_TO_GIVE;
  return FIRST_PORT + given;
}
