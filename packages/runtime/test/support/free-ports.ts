import { createServer, type Server } from 'node:net';

/** Ports of this machine's loopback interface that were free a moment ago; next to each other where that is asked for. */
export async function freePorts(
  count: number,
  { consecutive = false }: { readonly consecutive?: boolean } = {},
): Promise<readonly number[]> {
  for (;;) {
    const servers: Server[] = [];
    const ports: number[] = [];
    try {
      while (ports.length < count) {
        const server = createServer();
        servers.push(server);
        ports.push(await listen(server, consecutive && ports[0] !== undefined ? ports[0] + ports.length : 0));
      }
      return ports;
    } catch {
      // The neighbour of a free port is taken: begin at another.
    } finally {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    }
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : port);
    });
  });
}
