import { createServer } from 'node:net';

/** Everything this command starts by itself listens here and nowhere else. */
export const LOOPBACK = '127.0.0.1';

/** How many ports above the wished one are tried before the system is asked for any. */
const MAX_TRIED_IN_ROW = 20;

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

/** `count` different ports that are free now, chosen by the system. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const taken = new Set<number>();
  while (taken.size < count) taken.add(await anyFreePort());
  return [...taken];
}

export async function isFree(port: number): Promise<boolean> {
  return (await tryListen(port)) !== null;
}

async function nextFreePort(wish: number, taken: ReadonlySet<number>): Promise<number> {
  for (let port = wish; port < wish + MAX_TRIED_IN_ROW && port <= 65_535; port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  for (;;) {
    const port = await anyFreePort();
    if (!taken.has(port)) return port;
  }
}

async function anyFreePort(): Promise<number> {
  const port = await tryListen(0);
  if (port === null) throw new Error(`No free port on ${LOOPBACK}.`);
  return port;
}

function tryListen(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
