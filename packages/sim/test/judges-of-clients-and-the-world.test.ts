/** Every check finds its lie: chapters G to M of docs/invariants.md. A good cluster is spoilt in one place, and that very check speaks. */
import { describe, expect, test } from 'vitest';
import { broken, envelope, Scene, stateOf } from './support/lie.ts';

describe('clients, resources and the world', () => {
  test('G2: a read may miss what was committed before it came', () => {
    const scene = new Scene();
    scene.input(scene.follower, { kind: 'read', id: 9 });
    expect(broken(() => scene.output(scene.follower, { reads: [{ id: 9, index: 1, refused: null }] }))).toBe('G2');
    expect(broken(() => scene.output(scene.follower, { reads: [{ id: 10, index: 1, refused: null }] }))).toBe('G2');
  });

  test('G3: a read is answered without a round that was sent after it came', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const index = leader.core.commitIndex;
    scene.input(leader, { kind: 'read', id: 9 });
    expect(broken(() => scene.output(leader, { reads: [{ id: 9, index, refused: null }] }))).toBe('G3');
    scene.message(leader, { kind: 'readIndex', ...envelope(follower, leader), id: 3 });
    expect(
      broken(() =>
        scene.sends(leader, { kind: 'readIndexReply', ...envelope(leader, follower), id: 3, index, refused: null }),
      ),
    ).toBe('G3');
  });

  test('G4: with leases, a server that hears its leader helps to elect another', () => {
    const scene = new Scene((output) => output, { leaseReads: true });
    const { follower, other } = scene;
    const reply = { kind: 'preVoteReply', ...envelope(follower, other), round: 1, granted: true } as const;
    const ask = { kind: 'preVote', ...envelope(other, follower), round: 1, lastIndex: 9, lastTerm: 9 } as const;
    scene.message(follower, ask);
    expect(broken(() => scene.sends(follower, reply))).toBe('G4');
    const { stickiness: generation } = follower.core.state.timers;
    scene.input(follower, { kind: 'timeout', name: 'stickiness', generation });
    scene.message(follower, ask);
    expect(broken(() => scene.sends(follower, reply))).toBe('none');
  });

  test('G4: a lease counts from what nobody has answered, or a read comes when it is over', () => {
    const scene = new Scene((output) => output, { leaseReads: true });
    const { leader } = scene;
    const { leadership, now } = stateOf(leader);
    if (leadership === null) throw new Error('Nobody leads.');
    leadership.lease.since = now + 1;
    expect(broken(() => scene.input(leader))).toBe('G4');
    stateOf(leader).now += 10_000_000;
    scene.input(leader, { kind: 'read', id: 9 });
    const reads = [{ id: 9, index: leader.core.commitIndex, refused: null }];
    expect(broken(() => scene.output(leader, { reads }))).toBe('G4');
  });

  // Found by the simulator: the judge looked whether the lease lasts when the answer left, and not when the read came.
  test('G4: a read that came within the lease may be answered with what ends it', () => {
    const scene = new Scene((output) => output, { leaseReads: true });
    const { leader, follower } = scene;
    const { leadership } = stateOf(leader);
    if (leadership === null) throw new Error('Nobody leads.');
    expect(leadership.lease.since).not.toBeNull();
    scene.input(leader, { kind: 'read', id: 9 });
    Object.assign(leadership.lease, { sent: [], since: null, ended: true });
    scene.input(leader);
    const reads = [{ id: 9, index: leader.core.commitIndex, refused: null }];
    const message = { kind: 'timeoutNow', ...envelope(leader, follower) } as const;
    expect(broken(() => scene.output(leader, { reads, send: [{ message, after: 0 }] }))).toBe('none');
    scene.input(leader, { kind: 'read', id: 10 });
    expect(broken(() => scene.output(leader, { reads: reads.map((read) => ({ ...read, id: 10 })) }))).toBe('G4');
  });

  test('G6: a refused command is applied', () => {
    const act = () => {
      const scene = new Scene((output) => ({
        ...output,
        proposals: output.proposals.map((result) => ({ ...result, index: 0, refused: 'busy' })),
      }));
      scene.write(1);
    };
    expect(broken(act)).toBe('G6');
  });

  test('H4: a window is overrun', () => {
    const scene = new Scene();
    const progress = stateOf(scene.leader).leadership?.progress[0];
    if (progress === undefined) throw new Error('The leader has no followers.');
    progress.inflightBytes = 1;
    expect(broken(() => scene.output(scene.leader, {}))).toBe('H4');
  });

  test('H6: a server breaks over its own code', () => {
    const scene = new Scene();
    expect(broken(() => scene.invariants.onFatal(scene.leader.id, 'InternalError', 'an assertion'))).toBe('H6');
    scene.invariants.onFatal(scene.follower.id, 'StorageFailed', 'its disk');
  });

  test('M: a message is invented, a clock goes back, the dead speak', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const future = {
      kind: 'heartbeatReply',
      ...envelope(follower, leader, 99),
      round: 1,
      speaks: 1,
      behind: false,
    } as const;
    expect(broken(() => scene.message(leader, future))).toBe('M');
    expect(broken(() => scene.input(leader, { kind: 'unreachable', peer: 'nobody', now: -1 }))).toBe('M');
    scene.invariants.onCrash(follower.id);
    expect(broken(() => scene.input(follower))).toBe('M');
  });
});
