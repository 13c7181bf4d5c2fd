/**
 * The detector of standstill (H1) is shown healings that do not heal. Each must fail the run, and say where it is stuck: whoever reads
 * that has nothing else. And what nobody could help is not reported.
 */
import type { CoreLife } from '@quorate/runtime';
import { blindWatcher, standardWatchers } from '@quorate/sim';
import { describe, expect, test } from 'vitest';
import { runSeed } from '../src/campaign/run-seed.ts';
import { healthyDisk } from '../src/disk/index.ts';
import { play, type Played, second, type Stage } from './support/small-world.ts';

/** How the run failed. */
function stuck(played: Played): string {
  const { violation, crash } = played.result;
  expect(crash).toBeNull();
  expect(violation?.invariant).toBe('H1');
  return violation?.second ?? '';
}

/** Cuts every link, and takes away what would mend them. */
function cutForEver({ world }: Stage, servers: readonly string[]): void {
  for (const from of servers)
    for (const { id: to } of world.servers) {
      if (from === to) continue;
      world.network.cut(from, to, 'silent');
      world.network.cut(to, from, 'silent');
    }
  world.network.heal = () => undefined;
}

/** Long enough for a leader to find out that it is alone. */
const short = { faultMicros: 3 * second };

describe('a healed world', () => {
  test('without a majority is reported, with each server, what it believes and how far it is', () => {
    const where = stuck(
      play(short, (stage) =>
        cutForEver(
          stage,
          stage.world.servers.map(({ id }) => id),
        ),
      ),
    );
    expect(where).toMatch(/have not come to one leader and one state/);
    for (const server of [1, 2, 3])
      expect(where).toMatch(
        new RegExp(`${server}: (preCandidate|follower) in term \\d+, follows nobody, last \\d+, committed \\d+`),
      );
  });

  test('in which one server stays behind is reported, and shows which', () => {
    let lonely = '';
    const where = stuck(
      play(short, (stage) => {
        [{ id: lonely } = stage.leader()] = stage.followers();
        cutForEver(stage, [lonely]);
      }),
    );
    const states = [...where.matchAll(/(\d): \w+ in term \d+, follows (\w+)/g)];
    expect(states.filter(([, , leader]) => leader === 'nobody').map(([, server]) => server)).toEqual([
      lonely.slice(-1),
    ]);
  });

  test('whose disks stay stuck is reported', () => {
    const where = stuck(
      play(short, ({ world }) => {
        for (const server of world.servers) {
          server.setDiskFaults({ ...healthyDisk, stuck: 1000 });
          server.setDiskFaults = () => undefined;
        }
      }),
    );
    expect(where).toMatch(/have not come to one leader and one state.*committed 3/);
  });

  test('whose servers do not come up again is reported with what they died of', () => {
    const where = stuck(
      play(short, (stage) => {
        for (const server of stage.followers()) {
          server.setDiskFaults({ ...healthyDisk, syncError: 1000 });
          server.setDiskFaults = () => undefined;
        }
      }),
    );
    expect(where).toMatch(/\d: opening again, it had stopped, StorageFailed: .*EIO: the sync failed/);
  });

  test('that refuses writes for ever is reported with the refusal', () => {
    const where = stuck(
      play(short, (stage) => {
        const { id } = stage.leader();
        // Too little for a reserve, and what heals the world does not free it.
        stage.do({ kind: 'fill', server: id, left: 60_000 });
        const { volume } = stage.world.server(id);
        const { others } = volume;
        Object.defineProperty(volume, 'others', {
          get: () => others,
          set: () => {
            // Others keep what they took.
          },
        });
      }),
    );
    expect(where).toMatch(/^\d{16} answers a put with refused: etcdserver/);
  });

  test('that leaves calls without an answer is reported with their number', () => {
    // Nobody gives up here, and what was lost stays lost.
    const patient = { ...short, patience: 1000 * second, requestMicros: 1000 * second };
    const where = stuck(
      play(patient, (stage) => {
        stage.world.network.send = () => undefined;
      }),
    );
    expect(where).toMatch(/^2 calls have no answer\./);
  });

  test('of which too much was destroyed is no failure: nothing could be done', () => {
    const { result } = play({ ...short, damage: { lost: 0, entries: true, beyond: true, unbound: false } }, (stage) =>
      cutForEver(
        stage,
        stage.world.servers.map(({ id }) => id),
      ),
    );
    expect([result.violation, result.crash]).toEqual([null, null]);
  });

  test('of which one of two voters alone has a damaged entry is none either, whoever founded the cluster', () => {
    // A power cut leaves server 1 with such an entry when a cluster of one has become one of two: nobody can say that it was never committed.
    const left = new Map<string, CoreLife>();
    const watch = { ...blindWatcher, onStart: (id: string, life: CoreLife) => void left.set(id, life) };
    const { violation, options } = runSeed(19176, {}, (...made) => [...standardWatchers(...made), watch]);
    const waits = [...left.values()].filter(({ raft }) => raft.status().faultyEntries > 0);
    expect(options.servers).toBe(1);
    expect(waits.map(({ raft }) => raft.configuration.voters.length)).toEqual([2]);
    expect(violation).toBeNull();
  });
});
