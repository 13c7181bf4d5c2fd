import { type Output, Raft } from '@quorate/raft';
import {
  fingerprintOutput,
  type FlightFile,
  FlightFormatError,
  FlightRecorder,
  flightSequence,
  readFlightFile,
} from '@quorate/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../src/codec/byte-reader.ts';
import { ByteWriter } from '../src/codec/byte-writer.ts';
import { type Plain, readPlain, writePlain } from '../src/codec/plain.ts';
import { withoutCache } from '../src/flight/format.ts';
import { command } from './support/counter.ts';
import type { DiskImage } from './support/memory-disk.ts';
import { VirtualCluster, type VirtualServer } from './support/virtual-cluster.ts';

interface Recorded {
  readonly maxBytes?: number;
  readonly redactValues?: boolean;
}

async function recordedCluster(seed: number, options: Recorded = {}): Promise<VirtualCluster> {
  // A small cache makes small checkpoints, and followers that are behind ask for loads.
  const cluster = new VirtualCluster(seed, 3, { raft: { maxLogCacheBytes: 4096 } });
  for (const server of cluster.servers) start(cluster, server, options);
  await cluster.world.until(() => cluster.servers.every(({ node }) => node !== null), 'all servers up');
  return cluster;
}

function start(cluster: VirtualCluster, server: VirtualServer, options: Recorded): void {
  const { disk } = server;
  const environment = cluster.world.environment(server.id, disk, () => server.isAlive && server.disk === disk);
  const watcher = new FlightRecorder({
    environment,
    cluster: '00000000000000c1',
    codeVersion: 'test',
    createdBy: 'flight.test',
    maxBytes: options.maxBytes ?? 1 << 20,
    redactValues: options.redactValues ?? false,
  });
  cluster.start(server, { watcher });
}

async function load(cluster: VirtualCluster, count: number, bytes = 8): Promise<void> {
  const leader = await cluster.leader();
  let answered = 0;
  for (let i = 0; i < count; i++) {
    const text = `secret-${String(i)}`.padEnd(bytes, '.');
    cluster.node(leader.id).proposeWith(command(text), () => {
      answered += 1;
    });
    if (i % 10 === 9) await cluster.world.run(1_000);
  }
  await cluster.world.until(() => answered === count, 'all answers');
}

function filesOf(image: DiskImage): FlightFile[] {
  return [...image]
    .filter(([path]) => path.startsWith('flight/') && flightSequence(path.slice('flight/'.length)) !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, bytes]) => readFlightFile(bytes));
}

/** Runs a core along its recording; everything that it says, and each later checkpoint, must be what was recorded. */
function follow(files: readonly FlightFile[]): { raft: Raft; inputs: number; checkpoints: number } {
  let raft: Raft | null = null;
  let last: Output | null = null;
  let inputs = 0;
  let checkpoints = 0;
  for (const file of files) {
    for (const record of file.records()) {
      if (record.kind === 'checkpoint' && record.checkpoint !== null) {
        const { options, state } = record.checkpoint;
        if (raft !== null) {
          expect(withoutCache(raft.state)).toEqual(withoutCache(state));
          expect(raft.state.log.cache.slice(raft.state.log.cacheHead)).toEqual(state.log.cache);
        }
        checkpoints += 1;
        raft ??= Raft.fromState(options, state);
      } else if (record.kind === 'input') {
        raft?.step(record.input);
        inputs += 1;
      } else if (record.kind === 'output' && raft !== null) {
        last = raft.takeOutput();
        expect(fingerprintOutput(last, raft)).toBe(record.fingerprint);
      }
    }
  }
  if (raft === null) throw new Error('no checkpoint');
  return { raft, inputs, checkpoints };
}

describe('the flight recorder', () => {
  it('writes what leads the same core to the same state', async () => {
    const cluster = await recordedCluster(1);
    await load(cluster, 200);
    await cluster.world.run(200_000);
    for (const { id, disk } of cluster.servers) {
      const files = filesOf(disk.image());
      const { raft } = follow(files);
      const status = cluster.node(id).status();
      expect(files).toHaveLength(1);
      expect(files[0]?.note).toBeNull();
      expect(raft.commitIndex).toBe(status.commitIndex);
      expect(raft.role).toBe(status.role);
      expect(raft.commitIndex).toBeGreaterThan(200);
    }
  });

  it('goes round a ring whose files each begin with a checkpoint, which a core that follows arrives at', async () => {
    const maxBytes = 100_000;
    const cluster = await recordedCluster(2, { maxBytes });
    for (let round = 0; round < 40; round++) await load(cluster, 20, 200);
    await cluster.world.run(200_000);
    for (const { id, disk } of cluster.servers) {
      const flight = [...disk.image()].filter(([path]) => path.startsWith('flight/'));
      expect(flight.reduce((sum, [, bytes]) => sum + bytes.length, 0)).toBeLessThan(maxBytes * 1.2);
      const files = filesOf(disk.image());
      expect(files.length).toBeGreaterThanOrEqual(2);
      expect(files[0]?.header.sequence).toBeGreaterThan(1);
      for (const [position, { header }] of files.entries()) {
        if (position > 0) expect(header.firstInput).toBe(files[position - 1]?.endInput);
      }
      const { raft, checkpoints } = follow(files);
      expect(checkpoints).toBe(files.length);
      expect(raft.commitIndex).toBe(cluster.node(id).status().commitIndex);
    }
  });

  it('leaves out what clients wrote, and replays all the same', async () => {
    const cluster = await recordedCluster(3, { redactValues: true });
    await load(cluster, 50, 40);
    await cluster.world.run(200_000);
    for (const { id, disk } of cluster.servers) {
      const [file] = filesOf(disk.image());
      expect(file?.header.redacted).toBe(true);
      const everything = [...disk.image()].filter(([path]) => path.startsWith('flight/'));
      for (const [, bytes] of everything) expect(new TextDecoder('latin1').decode(bytes)).not.toContain('secret');
      const { raft } = follow(filesOf(disk.image()));
      expect(raft.commitIndex).toBe(cluster.node(id).status().commitIndex);
    }
  });

  it('has all but the last moments of a server that was killed, and counts on when it is started again', async () => {
    const cluster = await recordedCluster(4);
    await load(cluster, 60);
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('no server');
    await cluster.world.run(100_000);
    const before = filesOf(server.disk.image());
    // The system has written what the process had handed over: a killed process loses nothing of that.
    server.disk.submit(
      [
        { op: 'sync', path: 'flight/00000001.flight' },
        { op: 'syncDirectory', path: 'flight' },
      ],
      () => undefined,
    );
    await cluster.world.run(1_000);
    cluster.kill(server);
    start(cluster, server, {});
    await cluster.world.until(() => server.node !== null, 'the server is back');
    await load(cluster, 20);
    await cluster.world.run(200_000);
    const files = filesOf(server.disk.image());
    const latest = files[files.length - 1];
    expect(latest?.header.sequence).toBeGreaterThan(before[0]?.header.sequence ?? 0);
    expect(latest?.header.life).not.toBe(before[0]?.header.life);
    if (latest === undefined) throw new Error('no file');
    expect(follow([latest]).raft.commitIndex).toBe(server.node?.status().commitIndex);
  });

  it('has the very last input of a server that stops by itself: the one that broke it', async () => {
    const cluster = await recordedCluster(7);
    await load(cluster, 20);
    const leader = await cluster.leader();
    const node = cluster.node(leader.id);
    const before = node.status().lastIndex;
    // Handed to the core right before the state machine, and with it the server, breaks over it.
    leader.machine.apply = () => {
      throw new Error('broken on purpose');
    };
    node.proposeWith(command('the last'), () => undefined);
    await cluster.world.until(() => cluster.world.logged(/broken on purpose/).length > 0, 'the server stops');
    await cluster.world.run(10_000);
    const records = filesOf(leader.disk.image()).flatMap((file) => [...file.records()]);
    const inputs = records.flatMap((record) => (record.kind === 'input' ? [record.input] : []));
    const proposals = inputs.filter(({ kind }) => kind === 'propose');
    expect(proposals.length).toBeGreaterThan(0);
    const { raft } = follow(filesOf(leader.disk.image()));
    expect(raft.lastIndex).toBe(before + 1);
    expect(raft.commitIndex).toBe(before + 1);
  });

  it('ends with one line when its disk fails, and the server goes on', async () => {
    const cluster = await recordedCluster(5);
    await load(cluster, 20);
    await cluster.world.run(100_000);
    const leader = await cluster.leader();
    leader.disk.failWrites = (path) => path.startsWith('flight/');
    await load(cluster, 40);
    await cluster.world.run(500_000);
    expect(cluster.world.logged(/flight recorder has stopped/)).toHaveLength(1);
    expect(cluster.node(leader.id).isLeader).toBe(true);
    follow(filesOf(leader.disk.image()));
  });
});

describe('a recording that is not sound', () => {
  it('is read up to where it was cut off, wherever that is', async () => {
    const cluster = await recordedCluster(6);
    await load(cluster, 20);
    await cluster.world.run(200_000);
    const [bytes] = [...(cluster.servers[0]?.disk.image() ?? [])].flatMap(([path, it]) =>
      path.startsWith('flight/') ? [it] : [],
    );
    if (bytes === undefined) throw new Error('no file');
    const whole = readFlightFile(bytes);
    const headerEnd = 16 + new DataView(bytes.buffer).getUint32(8, true);
    fc.assert(
      fc.property(fc.integer({ min: headerEnd, max: bytes.length - 1 }), (length) => {
        const cut = readFlightFile(bytes.slice(0, length));
        expect(cut.endInput).toBeLessThanOrEqual(whole.endInput);
        expect([...cut.records()].length).toBeLessThan([...whole.records()].length);
      }),
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ change;
        try {
          expect(readFlightFile(damaged).endInput).toBeLessThanOrEqual(whole.endInput);
        } catch (error) {
          expect(error).toBeInstanceOf(FlightFormatError);
        }
      }),
    );
  });

  it('is refused with a typed error when it is none at all', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(() => readFlightFile(bytes)).toThrow(FlightFormatError);
      }),
    );
  });
});

describe('plain data', () => {
  const plain = fc.letrec<{ value: Plain }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array({ maxLength: 20 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
      fc.dictionary(fc.string({ maxLength: 5 }), tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;

  it('comes back as it was', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const writer = new ByteWriter();
        writePlain(writer, value);
        const reader = new ByteReader(writer.copy());
        expect(readPlain(reader)).toEqual(value);
        expect(reader.complete).toBe(true);
      }),
    );
  });

  it('is read from rubbish without harm', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readPlain(new ByteReader(bytes))));
  });

  it.each([[undefined], [1.5], [Number.NaN], [() => 1], [new Date(0)], [10n]])('refuses %s', (value) => {
    expect(() => writePlain(new ByteWriter(), value)).toThrow(TypeError);
  });
});
