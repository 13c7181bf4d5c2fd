import { type Message } from '@quorate/raft';
import type { ConnectionHandler, Environment, RaftStorage } from '@quorate/runtime';
import { defaultTransportLimits, silentObserver, type TransportLimits } from '@quorate/runtime';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frame } from '../src/codec/frame.ts';
import {
  helloFrom,
  type LeaseTerms,
  type LocalIdentity,
  type VersionRange,
  writeHello,
} from '../src/transport/handshake.ts';
import { FrameKind, Purpose } from '../src/transport/protocol.ts';
import { Transport, type TransportHost } from '../src/transport/transport.ts';
import { noDisk } from './support/no-disk.ts';
import { seededRandom, VirtualWorld } from './support/virtual-world.ts';

const cluster = 'c1c1c1c1c1c1c1c1';

describe('two servers', () => {
  it('carry messages to each other, in order', async () => {
    const world = new VirtualWorld(1);
    const [a, b] = pair(world);
    for (let round = 1; round <= 100; round++) a.transport.send(heartbeat('a', 'b', round));
    a.transport.flush();
    await world.until(() => b.received.length === 100, 'all heartbeats at b');
    expect(b.received.map((message) => message.kind === 'heartbeat' && message.round)).toEqual(count(100));
    expect(b.received[0]).toEqual(heartbeat('a', 'b', 1));
  });

  // Found by the simulator: a follower that had the configuration without its leader could not answer it, and both waited for ever; a
  // newcomer that came through old configurations could not either.
  it('answer whoever speaks to them, and only for as long as that lasts', async () => {
    const world = new VirtualWorld(8);
    const leader = server(world, 'a');
    const newcomer = server(world, 'b');
    newcomer.connect([]);
    leader.connect(['a', 'b']);
    await world.until(() => newcomer.isConnectedTo('a'), 'the way back');
    newcomer.send(heartbeat('b', 'a', 1));
    await world.until(() => leader.received.length === 1, 'the answer');
    // What it learns of the membership does not part it from who leads it.
    newcomer.connect(['b', 'c']);
    expect(newcomer.isConnectedTo('a')).toBe(true);
    leader.connect(['a']);
    await world.until(() => newcomer.transport.peers().every(({ id }) => id !== 'a'), 'the end of it');
  });

  // Found by the simulator: a server that came to know others before it was a member led one that never learned where it is.
  it('say where they are as soon as they are members, to whomever they are connected', async () => {
    const world = new VirtualWorld(10);
    const newcomer = server(world, 'a');
    const behind = server(world, 'b');
    behind.connect([]);
    newcomer.transport.configure(['b'], (id) => (id === 'a' ? null : `${id}:1`));
    await world.until(() => newcomer.isConnectedTo('b'), 'a way without a way back');
    expect(behind.transport.peers()).toEqual([]);
    newcomer.connect(['a', 'b']);
    await world.until(() => behind.isConnectedTo('a'), 'the way back');
    await world.until(() => newcomer.isConnectedTo('b'), 'the way there');
  });

  it('refuse a life that has left the cluster, which then knows it', async () => {
    const world = new VirtualWorld(9);
    const gone = server(world, 'a');
    const member = server(world, 'b', {}, {}, 'b:1', (id, incarnation) => id === 'a' && incarnation.endsWith('aa'));
    gone.connect(['a', 'b']);
    await world.until(() => gone.removed.length > 0, 'the refusal');
    expect(gone.removed[0]).toMatch(/has left the cluster/);
    expect(gone.isConnectedTo('b')).toBe(false);
    expect(member.received).toEqual([]);
  });

  // Found by the simulator: the first copy was refused for want of room, the second appended, and a definite refusal was none.
  it('take a carried command once, however often it comes', async () => {
    const world = new VirtualWorld(7);
    const [a, b] = pair(world);
    const propose = (id: number): Message => {
      return { ...heartbeat('a', 'b', 1), kind: 'propose', id, commands: [new Uint8Array([id])] };
    };
    for (const id of [5, 5, 6, 5, 9]) a.send(propose(id));
    await world.until(
      () => b.received.some((message) => message.kind === 'propose' && message.id === 9),
      'the last one',
    );
    expect(b.received.map((message) => message.kind === 'propose' && message.id)).toEqual([5, 6, 9]);
  });

  it('say why nothing passes, then find each other when the listener comes up', async () => {
    const world = new VirtualWorld(2);
    const a = server(world, 'a');
    a.connect(['a', 'b']);
    await world.run(3_000_000);
    expect(world.logged(/no connection to peer: connection refused/)).toHaveLength(1);
    const b = server(world, 'b');
    await world.until(() => a.isConnectedTo('b'), 'a connected to b');
    a.send(heartbeat('a', 'b', 1));
    await world.until(() => b.received.length === 1, 'the heartbeat');
  });

  it('tell the core when a connection is lost, and connect again', async () => {
    const world = new VirtualWorld(3);
    const [a] = pair(world);
    await world.until(() => a.isConnectedTo('b'), 'a connected');
    world.network.cut('a', 'b');
    await world.until(() => a.unreachable.length === 1, 'the loss');
    world.network.heal();
    await world.until(() => a.isConnectedTo('b'), 'a connected again', 3_000_000);
  });

  it('take a peer for gone when its connection broke and nobody listens there any more', async () => {
    const world = new VirtualWorld(11);
    const [a, b] = pair(world);
    await world.until(() => a.isConnectedTo('b') && b.isConnectedTo('a'), 'both connected');
    await world.run(1_000_000);
    b.transport.close();
    await world.until(() => a.gone.length === 1, 'the news', 50_000);
    await world.run(10_000_000);
    // Said once, however often it is asked again in vain.
    expect(a.gone).toEqual(['b']);
  });

  it('do not take a peer for gone that was never reached, or that only the network has taken away', async () => {
    const world = new VirtualWorld(12);
    const a = server(world, 'a');
    a.connect(['a', 'b']);
    await world.run(3_000_000);
    const b = server(world, 'b');
    b.connect(['a', 'b']);
    await world.until(() => a.isConnectedTo('b'), 'a connected');
    world.network.cut('a', 'b');
    await world.until(() => a.unreachable.length === 1, 'the loss');
    await world.run(3_000_000);
    expect(a.gone).toEqual([]);
  });

  it('give up a connection on which nothing comes back any more', async () => {
    const world = new VirtualWorld(4);
    const [a] = pair(world);
    await world.until(() => a.isConnectedTo('b'), 'a connected');
    world.network.silence('a', 'b');
    await world.until(() => !a.isConnectedTo('b'), 'a noticed', 7_000_000);
    expect(world.logged(/no sign of life/).length).toBeGreaterThan(0);
    world.network.heal();
    await world.until(() => a.isConnectedTo('b'), 'a connected again', 12_000_000);
  });

  it('drop messages instead of queueing without end, tell the core once, and go on afterwards', async () => {
    const world = new VirtualWorld(5);
    world.network.latency = { min: 10_000, max: 10_000 };
    const [a, b] = pair(world, { maxQueuedBytes: 1000 });
    await world.until(() => a.isConnectedTo('b'), 'a connected');
    for (let round = 1; round <= 500; round++) a.send(heartbeat('a', 'b', round));
    await world.until(() => a.unreachable.length > 0, 'the core is told');
    expect(b.received.length).toBeLessThan(500);
    expect(a.transport.peers()[0]?.dropped).toBeGreaterThan(300);
    await world.run(1_000_000);
    expect(a.unreachable).toEqual(['b']);
    const before = b.received.length;
    a.send(heartbeat('a', 'b', 1000));
    await world.until(() => b.received.length === before + 1, 'messages pass again');
  });
});

describe('a server that does not belong here', () => {
  const strangers: readonly [string, Partial<LocalIdentity>, RegExp][] = [
    ['of another cluster', { clusterId: 'd2d2d2d2d2d2d2d2' }, /belongs to cluster d2d2d2d2d2d2d2d2/],
    ['of another group', { group: 7 }, /hosts group 0, not group 7/],
  ];
  for (const [what, difference, expected] of strangers) {
    it(`${what} is refused with a line in both logs`, async () => {
      const world = new VirtualWorld(6);
      server(world, 'b');
      server(world, 'a', {}, difference).connect(['a', 'b']);
      await world.until(() => new Set(world.logged(expected).map((line) => line.server)).size === 2, 'both lines');
      expect(world.logged(expected).every((line) => line.level === 'error')).toBe(true);
    });
  }

  it('under our own name is refused with a line in both logs', async () => {
    const world = new VirtualWorld(6);
    server(world, 'b');
    const impostor = server(world, 'b', {}, {}, 'elsewhere:1');
    impostor.transport.configure(['b', 'c'], () => 'b:1');
    await world.until(() => world.logged(/Another server calls itself b/).length === 2, 'both lines');
  });

  it('is not mistaken for the member that it stands in the place of', async () => {
    const world = new VirtualWorld(7);
    server(world, 'c', {}, {}, 'b:1');
    const a = server(world, 'a');
    a.connect(['a', 'b']);
    await world.until(() => world.logged(/looked for member b at the address of member c/).length === 2, 'both lines');
  });

  it('has other lease reads, or another time for them: refused with a line that names both, and the flag', async () => {
    const world = new VirtualWorld(8);
    const on = { leaseReads: true, electionTimeoutMin: 1_700_000 };
    server(world, 'b', {}, {}, 'b:1', undefined, on);
    const connect = (id: string, leases: LeaseTerms): void =>
      server(world, id, {}, {}, `${id}:1`, undefined, leases).connect([id, 'b']);
    connect('a', noLeases);
    connect('c', { leaseReads: true, electionTimeoutMin: 850_000 });
    connect('d', on);
    const isSaid = (line: RegExp): boolean => world.logged(line).length > 0;
    await world.until(
      () =>
        isSaid(/a has lease reads off, server b has them on.*--lease-reads/) &&
        isSaid(/c protects a leader for 850000 µs.*1700000 µs/),
      'both lines',
    );
    expect(world.logged(/Server d .*lease|Server d protects/)).toEqual([]);
    // A server that says nothing of leases knows none.
    const client = rawClient(world, 'b:1');
    const old = {
      ...helloFrom({ identity: identity('e'), leases: noLeases, versions: () => release }, 'b', Purpose.messages, 0),
      leases: null,
    };
    client.send(frame(FrameKind.hello, (writer) => writeHello(writer, old)));
    await world.until(() => client.isClosed(), 'the end of the connection');
    expect(isSaid(/e has lease reads off/)).toBe(true);
  });

  it('grants no lease, and has another time: no matter', async () => {
    const world = new VirtualWorld(8);
    server(world, 'b', {}, {}, 'b:1', undefined, { leaseReads: false, electionTimeoutMin: 5 });
    const a = server(world, 'a');
    a.connect(['a', 'b']);
    await world.until(() => a.isConnectedTo('b'), 'a connected');
  });

  it('speaks another version of the protocol: refused with a line that says which', async () => {
    const world = new VirtualWorld(8);
    server(world, 'b');
    const client = rawClient(world, 'b:1');
    const hello = {
      ...helloFrom({ identity: identity('a'), leases: noLeases, versions: () => release }, 'b', Purpose.messages, 0),
      versions: { min: 9, max: 10 },
    };
    client.send(frame(FrameKind.hello, (writer) => writeHello(writer, hello)));
    await world.until(() => client.isClosed(), 'the end of the connection');
    expect(
      world.logged(/a speaks versions 9 to 10 of the peer protocol, server b 1 to 1 .*Upgrade the older/),
    ).toHaveLength(1);
  });

  it('speaks a later one as well: both use the older, and know what the other speaks', async () => {
    const world = new VirtualWorld(8);
    const a = server(world, 'a', {}, {}, 'a:1', undefined, noLeases, { min: 1, max: 3 });
    const b = server(world, 'b', {}, {}, 'b:1', undefined, noLeases, { min: 1, max: 2 });
    a.connect(['a', 'b']);
    b.connect(['a', 'b']);
    await world.until(() => a.isConnectedTo('b') && b.isConnectedTo('a'), 'both connected');
    expect(a.transport.peers()[0]?.versions).toEqual({ min: 1, max: 2 });
    expect(b.transport.peers()[0]?.versions).toEqual({ min: 1, max: 3 });
  });

  it('does not speak the version in use: it is left, and told why', async () => {
    const world = new VirtualWorld(8);
    let inUse = 1;
    const a = server(world, 'a', {}, {}, 'a:1', undefined, noLeases, { min: 1, max: 2 }, () => inUse);
    const b = server(world, 'b');
    a.connect(['a', 'b']);
    b.connect(['a', 'b']);
    await world.until(() => a.isConnectedTo('b') && b.isConnectedTo('a'), 'both connected');
    inUse = 2;
    a.transport.dismissOlder();
    await world.until(() => b.transport.peers()[0]?.connected === false, 'a has closed');
    expect(a.isConnectedTo('b')).toBe(false);
    const line = /refused.*speaks versions 1 to 1 of the peer protocol, server a 2 to 2/;
    await world.until(() => world.logged(line).length > 0, 'a refusal');
    await world.until(
      () => a.transport.peers()[0]?.lastProblem?.includes('2 to 2') === true,
      'the reason in the status',
    );
  });
});

describe('rubbish on the peer port', () => {
  it('closes the connection and nothing else, whatever it is', async () => {
    const world = new VirtualWorld(9);
    const [a, b] = pair(world);
    await world.until(() => a.isConnectedTo('b'), 'a connected');
    const random = seededRandom(99);
    for (let round = 0; round < 200; round++) {
      const client = rawClient(world, 'b:1');
      client.send(Uint8Array.from({ length: 1 + (random.uint32() % 300) }, () => random.uint32() & 0xff));
      if (round % 3 === 0) client.send(frame(random.uint32() % 20, (writer) => writer.u32(random.uint32())));
      await world.run(10_000);
    }
    await world.run(20_000_000);
    a.send(heartbeat('a', 'b', 1));
    await world.until(() => b.received.length === 1, 'messages still pass');
    expect(b.transport.context.watched.size).toBeLessThanOrEqual(2);
  });

  it('behind a valid hello closes the connection, and nothing of it reaches the core', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 9, maxLength: 100 }), async (bytes) => {
        const world = new VirtualWorld(10);
        const b = server(world, 'b');
        const client = rawClient(world, 'b:1');
        client.send(hello('a', 'b'));
        client.send(bytes);
        client.send(frame(FrameKind.message, (writer) => writer.raw(bytes)));
        await world.until(() => client.isClosed(), 'the end of the connection', 20_000_000);
        expect(b.received).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('cannot hold connections open: silence ends them, and their number is bounded', async () => {
    const world = new VirtualWorld(11);
    server(world, 'b', { maxInboundConnections: 8 });
    const clients = Array.from({ length: 20 }, () => rawClient(world, 'b:1'));
    await world.run(1_000_000);
    expect(clients.filter((client) => client.isClosed())).toHaveLength(12);
    await world.run(defaultTransportLimits.handshakeTimeout + 2_000_000);
    expect(clients.every((client) => client.isClosed())).toBe(true);
  });
});

interface TestServer {
  readonly transport: Transport;
  readonly received: Message[];
  readonly unreachable: string[];
  readonly gone: string[];
  /** Why others say that it belongs to the cluster no more. */
  readonly removed: string[];
  connect(ids: readonly string[]): void;
  send(message: Message): void;
  isConnectedTo(id: string): boolean;
}

function pair(world: VirtualWorld, limits: Partial<TransportLimits> = {}): readonly [TestServer, TestServer] {
  const a = server(world, 'a', limits);
  const b = server(world, 'b', limits);
  a.connect(['a', 'b']);
  b.connect(['a', 'b']);
  return [a, b];
}

function server(
  world: VirtualWorld,
  id: string,
  limits: Partial<TransportLimits> = {},
  difference: Partial<LocalIdentity> = {},
  address = `${id}:1`,
  isFormer: TransportHost['isFormer'] = () => false,
  leases = noLeases,
  speaks: VersionRange = release,
  versionInUse: () => number = () => speaks.min,
): TestServer {
  const environment: Environment = world.environment(id, noDisk, () => true);
  const all = { ...defaultTransportLimits, ...limits };
  const transport = new Transport(
    environment,
    { ...identity(id), ...difference },
    { leases, release: speaks },
    all,
    silentObserver,
  );
  const received: Message[] = [];
  const unreachable: string[] = [];
  const removed: string[] = [];
  const gone: string[] = [];
  const host: TransportHost = {
    storage: noStorage,
    durableTerm: () => 3,
    versionInUse,
    boundIncarnation: () => null,
    isFormer,
    onRemoved: (reason) => removed.push(reason),
    needsSnapshot: () => true,
    isInstalling: () => false,
    onMessage: (message) => received.push(message),
    onUnreachable: (peer) => unreachable.push(peer),
    onGone: (peer) => gone.push(peer),
    onSnapshotSent: () => undefined,
    onStorageError: (error) => {
      throw new Error(error.message);
    },
  };
  transport.listen(address, (error) => expect(error).toBeNull());
  transport.start(host);
  return {
    transport,
    received,
    unreachable,
    removed,
    gone,
    connect: (ids) => transport.configure(ids, (it) => `${it}:1`),
    send: (message) => {
      transport.send(message);
      transport.flush();
    },
    isConnectedTo: (it) => transport.peers().some((peer) => peer.id === it && peer.connected),
  };
}

function rawClient(world: VirtualWorld, address: string): { send(bytes: Uint8Array): void; isClosed(): boolean } {
  let isClosed = false;
  let isOpen = false;
  const waiting: Uint8Array[] = [];
  const handler: ConnectionHandler = {
    onOpen: () => {
      isOpen = true;
      for (const bytes of waiting) connection.write(bytes);
    },
    onData: () => undefined,
    onDrain: () => undefined,
    onClose: () => {
      isClosed = true;
    },
  };
  const connection = world.environment('stranger', noDisk, () => true).network.connect(address, handler);
  return {
    send: (bytes) => (isOpen ? connection.write(bytes) : waiting.push(bytes)),
    isClosed: () => isClosed,
  };
}

const release: VersionRange = { min: 1, max: 1 };
const noLeases: LeaseTerms = { leaseReads: false, electionTimeoutMin: 1_000_000 };

function identity(member: string): LocalIdentity {
  return { clusterId: cluster, group: 0, member, incarnation: `00000000000000${member}${member}` };
}

function hello(from: string, to: string): Uint8Array {
  return frame(FrameKind.hello, (writer) =>
    writeHello(
      writer,
      helloFrom({ identity: identity(from), leases: noLeases, versions: () => release }, to, Purpose.messages, 0),
    ),
  );
}

function heartbeat(from: string, to: string, round: number): Message {
  const { incarnation } = identity(from);
  return { kind: 'heartbeat', group: 0, from, to, incarnation, term: 3, commit: 0, round };
}

function count(to: number): readonly number[] {
  return Array.from({ length: to }, (_, position) => position + 1);
}

const noStorage: RaftStorage = new Proxy({} as RaftStorage, {
  get(_target, name) {
    throw new Error(`no snapshot is sent here, but storage.${String(name)} was used`);
  },
});
