/** A core's state is copied whole, and what tells states apart sees every field that anything depends on. */
import { type RaftState } from '@quorate/raft';
import { describe, expect, test } from 'vitest';
import { CoreWorld, RandomStream } from '../src/index.ts';
import { copyState } from '../src/core-world/copy-state.ts';
import { Encoder } from '../src/core-world/encoding.ts';

/** States in which as many lists and maps as possible have something in them. */
function richStates(): RaftState[] {
  const states: RaftState[] = [];
  for (let seed = 1; seed <= 30; seed++) {
    const world = new CoreWorld({
      servers: 3,
      spares: 1,
      timing: 'clock',
      seed,
      isBound: seed % 2 === 0,
      budgets: { terms: 12 },
      raft: { leaseReads: seed % 3 === 0 },
    });
    const random = new RandomStream(seed);
    for (let step = 0; step < 600; step++) {
      const next = random.chance(600) ? world.next() : null;
      world.carryOut(next ?? random.pick(world.enabled()));
      if (step % 25 === 0) for (const { raft } of world.servers) if (raft !== null) states.push(raft);
    }
  }
  return states;
}

const states = richStates();

/** Every path to something that code of the core changes in place: an object, list or map that is not declared as given once. */
function containers(value: unknown, path: string, found: Map<string, object>): Map<string, object> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || isMadeOnce(path)) return found;
  found.set(path, value);
  if (value instanceof Map) return found;
  for (const [name, each] of Object.entries(value)) {
    containers(each, `${path}.${Array.isArray(value) ? '*' : name}`, found);
  }
  return found;
}

/** Of these the core makes new ones, and never changes one. */
function isMadeOnce(path: string): boolean {
  return [
    /^\.log\.base$/,
    /^\.log\.runs\.\*$/,
    /^\.log\.cache\.\*$/,
    /^\.log\.faulty\.\*\.entry$/,
    /^\.snapshot$/,
    /^\.configurations\.\*$/,
    /^\.votes\.\*$/,
    /^\.durability\.(snapshot|adopt)$/,
    /\.inflight\.\*$/,
    /^\.leadership\.lease\.sent\.\*$/,
    /^\.forwarded\.(proposals|changes)\.\*$/,
    /^\.loans\.\*$/,
  ].some((pattern) => pattern.test(path));
}

describe('copyState', () => {
  test('a copy is equal, and shares nothing that changes', () => {
    const seen = new Set<string>();
    for (const state of states) {
      const copy = copyState(state);
      expect(copy).toEqual(state);
      const originals = new Set(containers(state, '', new Map()).values());
      for (const [path, container] of containers(copy, '', new Map())) {
        seen.add(path);
        expect(originals.has(container), path).toBe(false);
      }
    }
    for (const path of [
      '.leadership.progress.*',
      '.leadership.reads.*',
      '.log.faulty.*.lackedBy',
      '.transfer',
      '.durability.outstanding.*',
    ])
      expect([...seen], 'the states are rich enough to see it').toContain(path);
  });
});

/** Every path to a number, truth value, text or null, and what stands there changed to something else. */
function* changes(
  value: unknown,
  path: string,
): Generator<{ readonly path: string; readonly change: (root: unknown) => unknown }> {
  const isLeaf = typeof value !== 'object' || value === null || value instanceof Uint8Array;
  if (isLeaf) {
    yield { path, change: () => other(value) };
    return;
  }
  if (value instanceof Map) return;
  for (const [name, each] of Object.entries(value)) {
    for (const { path: inner, change } of changes(each, `${path}.${Array.isArray(value) ? '*' : name}`)) {
      yield {
        path: inner,
        change: (root) =>
          Array.isArray(root)
            ? root.with(Number(name), change(root[Number(name)]))
            : { ...(root as object), [name]: change((root as Record<string, unknown>)[name]) },
      };
    }
  }
}

function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1000;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return `${value}, changed`;
  return value instanceof Uint8Array ? Uint8Array.of(...value, 1) : 77;
}

describe('what tells states apart', () => {
  test('sees a change in any field, but for those on whose value nothing depends', () => {
    const there = new Set<string>();
    const seen = new Set<string>();
    const encoder = new Encoder(['n1', 'n2', 'n3', 'n4']);
    const distinct = states.filter((_, at) => at % 40 === 0);
    for (const state of distinct) {
      const tokens = encoder.encode({ raft: state }, state.durability.durableBatch).join();
      for (const { path, change } of changes({ raft: state }, '')) {
        const changed = change({ raft: state });
        const name = path.replace(/\.timers\..*/, '.timers');
        there.add(name);
        if (encoder.encode(changed, state.durability.durableBatch).join() !== tokens) seen.add(name);
      }
    }
    expect([...there].filter((path) => !seen.has(path)).sort()).toEqual([
      '.raft.leadership.checkedAt',
      '.raft.leadership.progress.*.lastContact',
      '.raft.now',
      '.raft.timers',
    ]);
  });
});
