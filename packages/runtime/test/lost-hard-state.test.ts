/** Both copies in `hardstate` are damaged. The log says whose the directory is, and what was promised; where it cannot, somebody must be told. */
import { readIdentity, type StorageError, type StorageIdentity } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { command } from './support/counter.ts';
import { MemoryDisk } from './support/memory-disk.ts';
import { VirtualCluster, type VirtualServer } from './support/virtual-cluster.ts';

type Files = Map<string, Uint8Array>;

const spoiled: readonly (readonly [string, (files: Files) => void])[] = [
  ['of zeros', (files) => void fileOf(files, 'hardstate').fill(0)],
  ['of rubbish', (files) => void fileOf(files, 'hardstate').fill(0xa5)],
  [
    'with one byte changed in each',
    (files) => {
      const bytes = fileOf(files, 'hardstate');
      for (const at of [60, 4096 + 60]) bytes[at] = (bytes[at] ?? 0) ^ 1;
    },
  ],
];

describe('two damaged copies of the hard state', () => {
  it.each(spoiled)('%s are written anew from the log', async (_, spoil) => {
    const { cluster, server, before } = await stopped();
    cluster.spoil(server, spoil);
    expect(await identityOn(server)).toMatchObject({ identity: { member: server.id, incarnation: before } });
    cluster.restart(server);
    await cluster.world.until(() => server.node !== null, 'it is back');
    expect(server.node?.status().incarnation).toBe(before);
    await cluster.leader();
    await cluster.converged();
    expect(server.machine.commands).toEqual(['one', 'two']);
  });

  it.each(spoiled)('%s, and no segment with a header: it says what is damaged, and what to do', async (_, spoil) => {
    const { cluster, server } = await stopped();
    cluster.spoil(server, (files) => {
      spoil(files);
      for (const [name, bytes] of files) if (name.startsWith('wal/')) bytes.fill(0x5a, 0, 512);
    });
    cluster.restart(server);
    await cluster.world.until(() => server.openError !== null, 'a refusal');
    const message: unknown = expect.stringMatching(
      /'hardstate' are damaged, and the headers .*empty directory.*readmitted/,
    );
    expect(server.openError).toMatchObject({ code: 'StorageFailed', message });
    expect(await identityOn(server)).toMatchObject({ error: { code: 'CorruptState', message } });
  });
});

async function stopped() {
  const cluster = new VirtualCluster(51, 3);
  await cluster.startAll();
  const leader = await cluster.leader();
  for (const text of ['one', 'two']) {
    let isDone = false;
    leader.node?.proposeWith(command(text), () => {
      isDone = true;
    });
    await cluster.world.until(() => isDone, text);
  }
  await cluster.converged();
  const server = cluster.server('s2');
  const before = server.node?.status().incarnation;
  cluster.kill(server);
  return { cluster, server, before };
}

function fileOf(files: Files, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new Error(`there is no ${name}`);
  return bytes;
}

/** As the server looks before it opens. */
function identityOn(server: VirtualServer) {
  const disk = new MemoryDisk((callback) => setImmediate(callback), server.disk.image());
  return new Promise<{ readonly error: StorageError | null; readonly identity: StorageIdentity | null }>((resolve) => {
    readIdentity(disk, (error, identity) => resolve({ error, identity }));
  });
}
