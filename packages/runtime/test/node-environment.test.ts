import { connect, type Socket } from 'node:net';
import type { Connection, ConnectionHandler, Listener } from '@quorate/runtime';
import { tcpNetwork } from '@quorate/runtime/node';
import { afterEach, describe, expect, it } from 'vitest';
import { AddressBook, findInHosts, type NameSources, parseAddress } from '../src/node/address.ts';
import { nodeRandom } from '../src/node/random.ts';
import { nodeTimers } from '../src/node/timers.ts';

describe('addresses', () => {
  it('are host and port', () => {
    expect(parseAddress('10.0.0.1:2380')).toEqual({ host: '10.0.0.1', port: 2380 });
    expect(parseAddress('[fe80::1%eth0]:80')).toEqual({ host: 'fe80::1%eth0', port: 80 });
    expect(parseAddress(':2380')).toEqual({ host: '', port: 2380 });
    for (const wrong of ['', 'host', 'host:', 'host:x', 'host:99999', '::1:80']) expect(parseAddress(wrong)).toBeNull();
  });

  it('are found in a hosts file', () => {
    const hosts = '127.0.0.1 localhost\n10.1.1.1\tOne one.lan # 10.9.9.9 two\n\n::1 six\nnonsense two';
    expect(findInHosts(hosts, 'ONE')).toBe('10.1.1.1');
    expect(findInHosts(hosts, 'one.lan')).toBe('10.1.1.1');
    expect(findInHosts(hosts, 'six')).toBe('::1');
    expect(findInHosts(hosts, 'two')).toBeNull();
  });
});

describe('the address book', () => {
  it('asks nobody about literals and localhost', () => {
    const book = new AddressBook(sources({}));
    expect(resolved(book, '10.0.0.1')).toEqual(['10.0.0.1']);
    expect(resolved(book, '::1')).toEqual(['::1']);
    expect(resolved(book, 'localhost')).toEqual(['127.0.0.1']);
  });

  it('asks once for all who want a name at a time, and remembers the answer for a while', () => {
    let now = 0;
    const asked: ((error: string | null, address: string | null) => void)[] = [];
    const book = new AddressBook(sources({ nameServer: (_, found) => asked.push(found) }), () => now);
    const answers = [...resolved(book, 'a.test'), ...resolved(book, 'a.test')];
    expect(answers).toEqual([]);
    const got: string[] = [];
    book.resolve('a.test', (_, address) => got.push(address));
    asked[0]?.(null, '10.0.0.7');
    expect(got).toEqual(['10.0.0.7']);
    expect(asked).toHaveLength(1);
    now = 29_000;
    expect(resolved(book, 'a.test')).toEqual(['10.0.0.7']);
    now = 31_000;
    book.resolve('a.test', () => undefined);
    expect(asked).toHaveLength(2);
  });

  it('uses the last good address when the name server is dead, and never the pool', () => {
    let now = 0;
    let isDead = false;
    const book = new AddressBook(
      sources({ nameServer: (_, found) => (isDead ? found('ETIMEOUT', null) : found(null, '10.0.0.7')) }),
      () => now,
    );
    expect(resolved(book, 'a.test')).toEqual(['10.0.0.7']);
    isDead = true;
    now = 100_000;
    expect(resolved(book, 'a.test')).toEqual(['10.0.0.7']);
    expect(resolved(book, 'b.test')).toEqual([`the name 'b.test' cannot be resolved (ETIMEOUT)`]);
  });

  it('leaves search domains to the system, when a living name server does not know the name', () => {
    const book = new AddressBook(
      sources({ nameServer: (_, found) => found('ENOTFOUND', null), system: (_, found) => found(null, '10.0.0.8') }),
    );
    expect(resolved(book, 'short')).toEqual(['10.0.0.8']);
  });
});

describe('timers', () => {
  it('call back after a poll what is asked for after a poll', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      nodeTimers.set(1_000, () => {
        order.push('timer');
        nodeTimers.afterPoll(() => {
          order.push('after poll');
          resolve();
        });
        queueMicrotask(() => order.push('microtask'));
      });
    });
    expect(order).toEqual(['timer', 'microtask', 'after poll']);
  });

  it('do not fire once cleared, however long they are', async () => {
    const fired: string[] = [];
    nodeTimers.clear(nodeTimers.set(1_000, () => fired.push('short')));
    nodeTimers.clear(nodeTimers.set(2 ** 45, () => fired.push('long')));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(fired).toEqual([]);
  });
});

it('random numbers are unsigned 32-bit integers and differ', () => {
  const random = nodeRandom();
  const drawn = Array.from({ length: 1000 }, () => random.uint32());
  expect(drawn.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
  expect(new Set(drawn).size).toBeGreaterThan(990);
});

describe('the TCP network', () => {
  const open: (Listener | Connection | Socket)[] = [];
  afterEach(() => {
    for (const it of open.splice(0)) {
      if ('close' in it) it.close();
      else it.destroy();
    }
  });

  it('carries bytes both ways, and says when what was queued is gone', async () => {
    const network = tcpNetwork();
    const address = await listen(network, (connection) => ({
      ...quiet,
      onData: (bytes) => connection.write(bytes),
    }));
    const got: number[] = [];
    await new Promise<void>((resolve) => {
      const connection = network.connect(address, {
        ...quiet,
        onOpen: () => {
          for (let i = 0; i < 5; i++) connection.write(new Uint8Array([i]));
          expect(connection.bufferedBytes).toBe(5);
          connection.notifyDrain();
        },
        onDrain: () => expect(connection.bufferedBytes).toBe(0),
        onData: (bytes) => {
          got.push(...bytes);
          if (got.length === 5) resolve();
        },
      });
      open.push(connection);
    });
    expect(got).toEqual([0, 1, 2, 3, 4]);
  });

  it('reports a refused connection and an address that is none, once and later', async () => {
    const network = tcpNetwork();
    const reasons: (string | null)[] = [];
    await new Promise<void>((resolve) => {
      const onClose = (reason: string | null): void => {
        if (reasons.push(reason) === 2) resolve();
      };
      open.push(network.connect('127.0.0.1:1', { ...quiet, onClose }));
      open.push(network.connect('nonsense', { ...quiet, onClose }));
      expect(reasons).toEqual([]);
    });
    expect(reasons.join()).toMatch(/ECONNREFUSED/);
    expect(reasons.join()).toMatch(/host:port/);
  });

  it('reports an address that is taken', async () => {
    const network = tcpNetwork();
    const address = await listen(network, () => quiet);
    const reason = await new Promise<string>((resolve) => {
      open.push(network.listen(address, { onListening: () => undefined, onError: resolve, onConnection: () => quiet }));
    });
    expect(reason).toMatch(/EADDRINUSE/);
  });

  it('tells an orderly end from a break', async () => {
    const network = tcpNetwork();
    const reasons: (string | null)[] = [];
    const address = await listen(network, () => ({ ...quiet, onClose: (reason) => reasons.push(reason) }));
    const client = connect(Number(address.split(':')[1]), '127.0.0.1');
    open.push(client);
    await new Promise<void>((resolve) => {
      client.end(() => resolve());
    });
    const rude = connect(Number(address.split(':')[1]), '127.0.0.1');
    await new Promise((resolve) => rude.once('connect', resolve));
    rude.resetAndDestroy();
    while (reasons.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reasons[0]).toBeNull();
    expect(reasons[1]).toMatch(/ECONNRESET/);
  });

  async function listen(
    network: ReturnType<typeof tcpNetwork>,
    onConnection: (connection: Connection) => ConnectionHandler,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      open.push(
        network.listen('127.0.0.1:0', {
          onListening: resolve,
          onError: (reason) => reject(new Error(reason)),
          onConnection: (connection) => {
            open.push(connection);
            return onConnection(connection);
          },
        }),
      );
    });
  }
});

const quiet: ConnectionHandler = {
  onOpen: () => undefined,
  onData: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};

function sources(some: Partial<NameSources>): NameSources {
  const nobody = (host: string): never => {
    throw new Error(`nobody should be asked about ${host}`);
  };
  return { hostsFile: () => '', nameServer: nobody, system: nobody, ...some };
}

function resolved(book: AddressBook, host: string): readonly string[] {
  const got: string[] = [];
  book.resolve(host, (error, address) => got.push(error ?? address));
  return got;
}
