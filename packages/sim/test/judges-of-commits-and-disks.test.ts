/** Every check finds its lie: chapters C to F of docs/invariants.md. A good cluster is spoilt in one place, and that very check speaks. */
import { encodeConfiguration, EntryKind, initialConfiguration } from '@quorate/raft';
import { describe, expect, test } from 'vitest';
import { Invariants, Violation } from '../src/index.ts';
import { isQuorum } from '../src/invariants/quorum.ts';
import { CoreWorld } from './support/core-world.ts';
import { broken, envelope, Scene, stateOf } from './support/lie.ts';

const damage = { kind: 'diskLost', path: '', offset: 0, length: 0 } as const;

describe('commit and apply', () => {
  test('C1: more is applied than committed', () => {
    const scene = new Scene();
    stateOf(scene.follower).appliedIndex += 1;
    expect(broken(() => scene.input(scene.follower))).toBe('C1');
  });

  test('C2: the commit index goes back', () => {
    const scene = new Scene();
    stateOf(scene.follower).commitIndex -= 1;
    stateOf(scene.follower).appliedIndex -= 1;
    expect(broken(() => scene.input(scene.follower))).toBe('C2');
  });

  test('C3: a leader commits what nobody has acknowledged', () => {
    const scene = new Scene();
    scene.propose(1);
    stateOf(scene.leader).commitIndex += 1;
    expect(broken(() => scene.input(scene.leader))).toBe('C3');
  });

  test('C3: a leader counts its own entry before it is on its disk (D1)', () => {
    const scene = new Scene();
    const { leader, follower, world } = scene;
    scene.propose(1);
    world.deliver();
    follower.persist(1);
    stateOf(leader).commitIndex += 1;
    expect(broken(() => scene.input(leader))).toBe('C3');
  });

  test('C4: what was acknowledged is not on the disks', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    scene.propose(1);
    leader.persist(1);
    const { lastIndex: index } = leader.core;
    const reply = {
      kind: 'appendEntriesReply',
      ...envelope(follower, leader),
      accepted: true,
      index,
      hintIndex: 0,
      hintTerm: 0,
    } as const;
    scene.invariants.onSend(follower.id, reply);
    stateOf(leader).commitIndex += 1;
    expect(broken(() => scene.input(leader))).toBe('C4');
  });

  test('C5: a follower commits what no leader has', () => {
    const scene = new Scene();
    scene.propose(1);
    scene.world.deliver();
    stateOf(scene.follower).commitIndex += 1;
    expect(broken(() => scene.input(scene.follower))).toBe('C5');
  });

  test("C5': entries on their way contradict what is committed", () => {
    const scene = new Scene();
    scene.write(1);
    const { leader, follower } = scene;
    const entry = { index: 1, term: 0, kind: EntryKind.noop, data: new Uint8Array(0) };
    const message = {
      kind: 'appendEntries',
      ...envelope(leader, follower),
      prevIndex: 0,
      prevTerm: 0,
      entries: [entry],
      commit: 0,
    } as const;
    expect(broken(() => scene.message(follower, message))).toBe("C5'");
  });

  test("C6, C6': a candidate that lies about its log is elected without what was committed", () => {
    const found = new Set<string>();
    const isFound = (): boolean => found.has('C6') && found.has("C6'");
    for (let seed = 1; seed <= 400 && !isFound(); seed++) found.add(broken(() => runWithLiar(seed)));
    expect([...found].sort()).toContain('C6');
    expect([...found].sort()).toContain("C6'");
  });

  test('C7: a command is applied twice, or left out, or is another', () => {
    const scene = new Scene();
    scene.write(1);
    const [entry] = scene.applied;
    if (entry === undefined) throw new Error('Nothing was applied.');
    expect(broken(() => scene.invariants.onApply(scene.follower.id, entry))).toBe('C7');
    const skipped = new Scene();
    skipped.propose(1);
    skipped.world.deliver();
    for (const server of skipped.world.servers) server.persist(1);
    skipped.world.deliver();
    const { core } = skipped.leader;
    expect(broken(() => skipped.input(skipped.leader, { kind: 'applied', index: core.commitIndex }))).toBe('C7');
    const another = { index: core.commitIndex, term: core.term, data: new Uint8Array(3), digest: 0 };
    expect(broken(() => skipped.invariants.onApply(skipped.leader.id, another))).toBe('C7');
  });

  test('C8: two state machines differ behind the same entry', () => {
    const scene = new Scene();
    scene.propose(1);
    scene.world.deliver();
    for (const server of scene.world.servers) server.persist(1);
    scene.world.deliver();
    scene.leader.apply(10);
    const entry = scene.applied.at(-1);
    if (entry === undefined) throw new Error('Nothing was applied.');
    scene.invariants.onInput(scene.follower.id, {
      kind: 'message',
      message: { kind: 'heartbeat', ...envelope(scene.leader, scene.follower), commit: 0, round: 0 },
      now: scene.world.now,
    });
    const other = { ...entry, digest: entry.digest + 1 };
    expect(broken(() => scene.invariants.onApply(scene.follower.id, other))).toBe('C8');
  });

  test('C9: at rest, a leader has not committed what a quorum holds', () => {
    const scene = new Scene();
    scene.write(1);
    stateOf(scene.leader).commitIndex -= 1;
    expect(broken(() => scene.invariants.onRest())).toBe('C9');
  });

  test('C10: a proposal is said to be another entry than it is, or is answered twice', () => {
    const scene = new Scene();
    scene.write(1);
    const { leader } = scene;
    const commands = [new TextEncoder().encode('never appended')];
    const result = {
      id: 5,
      count: 1,
      index: leader.core.lastIndex,
      term: leader.core.term,
      refused: null,
      unknown: false,
    };
    scene.input(leader, { kind: 'propose', id: 5, commands });
    expect(broken(() => scene.output(leader, { proposals: [result] }))).toBe('C10');
    expect(broken(() => scene.output(leader, { proposals: [{ ...result, id: 77 }] }))).toBe('C10');
  });
});

/** One server says that its log is longer than it is, and so gets votes that it must not get. */
function runWithLiar(seed: number): void {
  const invariants = new Invariants();
  const world = new CoreWorld({
    seed,
    servers: 3,
    watchers: [invariants],
    distort: (output, server) => {
      if (server.id !== 'n1') return output;
      const send = output.send.map(({ message, after }) =>
        message.kind === 'preVote' || message.kind === 'requestVote'
          ? { after, message: { ...message, lastIndex: message.lastIndex + 50, lastTerm: message.term } }
          : { after, message },
      );
      return { ...output, send };
    },
  });
  try {
    world.run(4000);
  } catch (error) {
    // The victims notice too, and stop; what the judges said before counts.
    if (error instanceof Violation) throw error;
    if (!(error instanceof Error && error.name === 'InvariantViolation')) throw error;
  }
}

describe('durability', () => {
  test('D1: a term is spoken of before it is durable; a vote is; a batch is not waited for', () => {
    const scene = new Scene();
    const { follower, leader, other } = scene;
    scene.propose(1);
    scene.world.deliver();
    const { lastIndex: index } = follower.core;
    const reply = {
      kind: 'appendEntriesReply',
      ...envelope(follower, leader),
      accepted: true,
      index,
      hintIndex: 0,
      hintTerm: 0,
    } as const;
    scene.sends(follower, reply, follower.core.state.durability.nextBatch - 1);
    expect(broken(() => scene.invariants.onSend(follower.id, reply))).toBe('D1');
    const term = other.core.term + 1;
    Object.assign(stateOf(other), { term, vote: null });
    const heartbeat = {
      kind: 'heartbeatReply',
      ...envelope(other, leader, term),
      round: 1,
      speaks: 1,
      behind: false,
    } as const;
    expect(broken(() => scene.invariants.onSend(other.id, heartbeat))).toBe('D1');
    expect(broken(() => scene.sends(leader, { ...reply, ...envelope(leader, other) }, 99))).toBe('D1');
  });

  test('D2: a restart finds another vote, or another log', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const vote = () =>
      scene.restarts(leader, (found) => ({ ...found, hardState: { ...found.hardState, vote: follower.id } }));
    expect(broken(vote)).toBe('D2');
    const longer = () => scene.restarts(follower, (found) => ({ ...found, lastIndex: found.lastIndex + 1, tail: [] }));
    expect(broken(longer)).toBe('D2');
  });

  test('D3: memory and disk differ although nothing is under way', () => {
    const scene = new Scene();
    stateOf(scene.follower).vote = 'somebody';
    expect(broken(() => scene.output(scene.follower, {}))).toBe('D3');
  });

  test('D4: a majority of the disks is lost', () => {
    const scene = new Scene();
    for (const server of [scene.leader, scene.follower]) scene.invariants.onDamage(server.id, damage);
    expect(broken(() => scene.invariants.onDamage(scene.other.id, damage))).toBe('D4');
  });

  test('D4 is left alone where more may be destroyed than can be survived', () => {
    const invariants = new Invariants({ isDamageBudgeted: false });
    const world = new CoreWorld({ seed: 7, servers: 1, watchers: [invariants] });
    world.settle();
    invariants.onDamage('n1', damage);
    expect(invariants.committedIndex).toBeGreaterThan(0);
  });

  test('D5: bytes come back from the disk that were never written', () => {
    const scene = new Scene();
    scene.write(1);
    const spoil = () =>
      scene.restarts(scene.follower, (found) => ({
        ...found,
        tail: found.tail.map((entry) =>
          entry.kind === EntryKind.command ? { ...entry, data: new Uint8Array(2) } : entry,
        ),
      }));
    expect(broken(spoil)).toBe('D5');
    const { leader } = scene;
    const entries = [
      { index: leader.core.lastIndex, term: leader.core.term, kind: EntryKind.command, data: new Uint8Array(2) },
    ];
    expect(broken(() => scene.input(leader, { kind: 'loaded', id: 1, entries }))).toBe('D5');
  });

  test('D6: what was acknowledged is silently absent', () => {
    const scene = new Scene();
    scene.write(1);
    const shorten = () =>
      scene.restarts(scene.follower, (found) => ({
        ...found,
        lastIndex: found.lastIndex - 1,
        tail: found.tail.slice(0, -1),
      }));
    expect(broken(shorten)).toBe('D6');
  });

  test('D7: an entry is denied that stands in the log; D5: a repair writes another content', () => {
    const scene = new Scene();
    scene.write(1);
    const { leader, follower } = scene;
    const position = { index: follower.core.lastIndex, term: follower.core.term };
    const answers = [{ verdict: 'dontHave', position }] as const;
    const denial = { kind: 'fetchEntriesReply', ...envelope(follower, leader), round: 1, answers } as const;
    expect(broken(() => scene.sends(follower, denial))).toBe('D7');
    // Found by the simulator: what comes, or is cut, in the same turn was not there when the question came, or is no more.
    const { nextBatch: id } = follower.core.state.durability;
    const batch = { id, hardState: null, truncateFrom: 0, entries: [], snapshot: null, adopt: null, repairs: [] };
    const send = [{ message: denial, after: 0 }];
    const cut = { ...batch, truncateFrom: position.index };
    expect(broken(() => scene.output(follower, { send, persist: cut }))).toBe('none');
    const entries = [{ ...position, kind: EntryKind.command, data: new Uint8Array(1) }];
    expect(broken(() => scene.output(follower, { send, persist: { ...batch, id: id + 1, entries } }))).not.toBe('D7');
    const repairs = [{ ...position, kind: EntryKind.command, data: new Uint8Array(2) }];
    expect(broken(() => scene.persists(follower, { repairs }))).toBe('D5');
  });

  test('D8: a server that lost its disk comes back as the same incarnation', () => {
    const scene = new Scene();
    scene.invariants.onDamage(scene.follower.id, damage);
    expect(broken(() => scene.restarts(scene.follower, (found) => found))).toBe('D8');
  });

  test('D9: a failed sync is tried again; a server that stopped goes on', () => {
    const scene = new Scene();
    scene.propose(1);
    scene.invariants.onDiskFault(scene.leader.id, 'syncError', 'wal/0000000001.wal');
    expect(broken(() => scene.leader.persist(1))).toBe('D9');
    scene.invariants.onFatal(scene.follower.id, 'StorageFailed', 'The log could not be written.');
    expect(broken(() => scene.input(scene.follower))).toBe('D9');
  });

  test('a failed sync beside the log does not call its batches into question', () => {
    const scene = new Scene();
    scene.propose(1);
    scene.invariants.onDiskFault(scene.leader.id, 'syncError', 'snapshots/0000000001.part');
    expect(broken(() => scene.leader.persist(1))).toBe('none');
  });
});

describe('snapshots and configurations', () => {
  test('E1: a snapshot holds what is not applied, or not committed', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const snapshot = {
      index: leader.core.lastIndex + 1,
      term: leader.core.term,
      configuration: leader.core.configuration,
    };
    expect(broken(() => scene.input(leader, { kind: 'compacted', snapshot, through: 0 }))).toBe('E1');
    expect(
      broken(() => scene.sends(leader, { kind: 'installSnapshot', ...envelope(leader, follower), snapshot })),
    ).toBe('E1');
  });

  test('E2: a snapshot gives another state than applying would have', () => {
    const scene = new Scene();
    scene.write(1);
    const entry = scene.applied.at(-1);
    if (entry === undefined) throw new Error('Nothing was applied.');
    expect(broken(() => scene.invariants.onRestore(scene.follower.id, entry.index, entry.digest))).toBe('none');
    expect(broken(() => scene.invariants.onRestore(scene.follower.id, entry.index, entry.digest + 1))).toBe('E2');
  });

  test('E3: the log begins behind the snapshot: something is missing', () => {
    const scene = new Scene();
    const { log, commitIndex } = stateOf(scene.follower);
    log.base = { index: commitIndex, term: scene.follower.core.term };
    expect(broken(() => scene.input(scene.follower))).toBe('E3');
  });

  test('E4: a snapshot replaces a log that holds it, and more', () => {
    const scene = new Scene();
    const { leader, follower, world } = scene;
    for (const id of [1, 2]) scene.propose(id);
    world.deliver();
    for (const server of world.servers) server.persist(server.disk.pending.length);
    world.deliver();
    const index = leader.core.commitIndex - 1;
    const snapshot = { index, term: leader.core.term, configuration: leader.core.configuration };
    const state = stateOf(follower);
    expect(state.commitIndex).toBeLessThan(index);
    Object.assign(state, { snapshot, commitIndex: index });
    Object.assign(state.log, { lastIndex: index, base: snapshot, runs: [] });
    const message = { kind: 'installSnapshot', ...envelope(leader, follower), snapshot } as const;
    expect(broken(() => scene.message(follower, message))).toBe('E4');
  });

  test('E6: a durable snapshot is gone after a restart', () => {
    const scene = new Scene();
    scene.write(1);
    const before = scene.follower.disk.recovered(0).snapshot;
    scene.follower.compact(0);
    expect(broken(() => scene.restarts(scene.follower, (found) => ({ ...found, snapshot: before })))).toBe('E6');
  });

  test('F1: a server acts by another configuration than the newest in its log', () => {
    const scene = new Scene();
    stateOf(scene.leader).configurations.pop();
    expect(broken(() => scene.output(scene.leader, {}))).toBe('F1');
  });

  test('F1: a server whose newest configuration is damaged on its disk may act by the one before, but not stand by it', () => {
    const scene = new Scene();
    const hidden = stateOf(scene.follower).configurations.pop();
    const restart = () =>
      scene.restarts(scene.follower, (found) => ({
        ...found,
        configurations: found.configurations.filter(({ index }) => index !== hidden?.index),
        faulty: [{ index: hidden?.index ?? 0, term: 1, kind: null }],
      }));
    expect(restart).not.toThrow();
    stateOf(scene.follower).role = 'preCandidate';
    expect(broken(restart)).toBe('F1');
  });

  test('F5, F6: a joint configuration needs both majorities, and learners count for nothing', () => {
    const members = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'].map((id) => ({ id, incarnation: id, context: '' }));
    const joint = {
      ...initialConfiguration(members),
      index: 1,
      voters: ['n1', 'n2', 'n3'],
      outgoing: ['n3', 'n4', 'n5'],
      learners: ['n6'],
    };
    expect(isQuorum(joint, (id) => ['n1', 'n2', 'n3', 'n6'].includes(id))).toBe(false);
    expect(isQuorum(joint, (id) => ['n1', 'n3', 'n4'].includes(id))).toBe(true);
  });

  test('F7: a snapshot carries another version of the protocol than the one in use there', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const configuration = { ...leader.core.configuration, protocol: 2 };
    const snapshot = { index: leader.core.commitIndex, term: leader.core.term, configuration };
    const install = { kind: 'installSnapshot', ...envelope(leader, follower), snapshot } as const;
    expect(broken(() => scene.sends(leader, install))).toBe('F7');
  });

  /** A release that servers run, and that changes under their feet. */
  function changingRelease() {
    return { min: 1, max: 1, needs: { membershipChanges: 1, leadershipTransfer: 1 } };
  }

  test('F10: a leader agrees on a version of which nobody said that it speaks it', () => {
    const release = changingRelease();
    const scene = new Scene(undefined, { release });
    const { leader, world } = scene;
    release.max = 2;
    for (const progress of stateOf(leader).leadership?.progress ?? []) progress.speaks = 2;
    world.now += 100_000;
    expect(broken(() => leader.fire('heartbeat'))).toBe('F10');
  });

  test('F10: a server stops because it does not speak the version in use', () => {
    const { invariants, follower } = new Scene();
    expect(broken(() => invariants.onFatal(follower.id, 'VersionNotSpoken', 'too old'))).toBe('F10');
  });

  test('F11: the version in use falls', () => {
    const scene = new Scene(undefined, { release: { ...changingRelease(), max: 2 } }, 'F11');
    const { leader } = scene;
    scene.write(1);
    const { configuration, term, lastIndex } = leader.core;
    expect(configuration.protocol).toBe(2);
    const data = encodeConfiguration({ ...configuration, protocol: 1 });
    const entry = { index: lastIndex + 1, term, kind: EntryKind.configuration, data };
    expect(broken(() => scene.persists(leader, { entries: [entry] }))).toBe('F11');
  });

  test('F12: TimeoutNow is sent before the version that it needs is in use', () => {
    const release = changingRelease();
    const scene = new Scene(undefined, { release });
    const { leader, follower } = scene;
    const call = { kind: 'timeoutNow', ...envelope(leader, follower) } as const;
    expect(broken(() => scene.sends(leader, call))).toBe('none');
    release.needs.leadershipTransfer = 2;
    expect(broken(() => scene.sends(leader, call))).toBe('F12');
  });

  test('F12: the membership is changed before the version that this needs is in use', () => {
    const release = changingRelease();
    const scene = new Scene(undefined, { release }, 'F12');
    const { leader } = scene;
    const configuration = leader.core.configuration;
    const { term, lastIndex } = leader.core;
    release.needs.membershipChanges = 2;
    const data = encodeConfiguration({ ...configuration, version: configuration.version + 1 });
    const entry = { index: lastIndex + 1, term, kind: EntryKind.configuration, data };
    expect(broken(() => scene.persists(leader, { entries: [entry] }))).toBe('F12');
  });

  test('F7: a snapshot carries another configuration than the one in force there', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const configuration = { ...leader.core.configuration, voters: [leader.id] };
    const snapshot = { index: leader.core.commitIndex, term: leader.core.term, configuration };
    expect(
      broken(() => scene.sends(leader, { kind: 'installSnapshot', ...envelope(leader, follower), snapshot })),
    ).toBe('F7');
  });
});
