/** Every check finds its lie: chapters A and B of docs/invariants.md. A good cluster is spoilt in one place, and that very check speaks. */
import type { Role, Term } from '@quorate/raft';
import { describe, expect, test } from 'vitest';
import type { CoreServer } from './support/core-server.ts';
import { broken, envelope, Scene, stateOf } from './support/lie.ts';

/** `server` looks as if it were this in a later term, having voted for itself. */
function becomes(scene: Scene, server: CoreServer, role: Role, term: Term): void {
  Object.assign(stateOf(server), { role, term, vote: server.id, leader: null });
  scene.input(server);
}

const data = new TextEncoder().encode('another');

describe('terms, votes, leaders', () => {
  test('A1: a term goes back', () => {
    const scene = new Scene();
    stateOf(scene.follower).term -= 1;
    expect(broken(() => scene.input(scene.follower))).toBe('A1');
  });

  test('A1: a restart forgets a term', () => {
    const scene = new Scene();
    const forget = () =>
      scene.restarts(scene.follower, (recovered) => ({ ...recovered, hardState: { term: 0, vote: null } }));
    expect(broken(forget)).toBe('A1');
  });

  test('A2: a message is of a term that its sender has not reached', () => {
    const { leader, follower, invariants } = new Scene();
    const message = {
      kind: 'heartbeat',
      ...envelope(leader, follower, leader.core.term + 1),
      commit: 0,
      round: 0,
    } as const;
    expect(broken(() => invariants.onSend(leader.id, message))).toBe('A2');
  });

  test('A3: a vote changes within its term', () => {
    const scene = new Scene();
    stateOf(scene.leader).vote = scene.other.id;
    expect(broken(() => scene.input(scene.leader))).toBe('A3');
  });

  test('A3: two votes of one term are sent', () => {
    const scene = new Scene();
    const voter = [scene.follower, scene.other].find((server) => server.core.hardState.vote === scene.leader.id);
    if (voter === undefined) throw new Error('Nobody voted.');
    const to = voter === scene.follower ? scene.other : scene.follower;
    const vote = { kind: 'requestVoteReply', ...envelope(voter, to), granted: true } as const;
    expect(broken(() => scene.invariants.onSend(voter.id, vote))).toBe('A3');
  });

  test('A4: a vote goes to a candidate whose log is behind', () => {
    const scene = new Scene();
    const { follower, other } = scene;
    const term = follower.core.term + 1;
    Object.assign(stateOf(follower), { term, vote: other.id, leader: null });
    const vote = { kind: 'requestVoteReply', ...envelope(follower, other, term), granted: true } as const;
    expect(broken(() => scene.invariants.onSend(follower.id, vote))).toBe('A4');
  });

  test('A5: a leader voted for another', () => {
    const scene = new Scene();
    Object.assign(stateOf(scene.leader), { term: scene.leader.core.term + 1, vote: scene.other.id });
    expect(broken(() => scene.input(scene.leader))).toBe('A5');
  });

  test('A6: a term has two leaders, at different times', () => {
    const scene = new Scene();
    const term = scene.leader.core.term + 1;
    becomes(scene, scene.follower, 'candidate', term);
    becomes(scene, scene.other, 'candidate', term);
    expect(broken(() => becomes(scene, scene.follower, 'leader', term))).toBe('A7');
    expect(broken(() => becomes(scene, scene.other, 'leader', term))).toBe('A6');
  });

  test('A7: a leader without a majority of votes', () => {
    const scene = new Scene();
    const term = scene.leader.core.term + 1;
    becomes(scene, scene.follower, 'candidate', term);
    expect(broken(() => becomes(scene, scene.follower, 'leader', term))).toBe('A7');
  });

  test('A8: a term that has entries is won', () => {
    const scene = new Scene();
    const { follower, other } = scene;
    const term = scene.leader.core.term + 1;
    becomes(scene, follower, 'candidate', term);
    becomes(scene, other, 'candidate', term);
    expect(broken(() => becomes(scene, follower, 'leader', term))).toBe('A7');
    const entry = { index: follower.core.lastIndex + 1, term, kind: 0, data: new Uint8Array(0) } as const;
    scene.persists(follower, { entries: [entry], hardState: { term, vote: follower.id } });
    expect(broken(() => becomes(scene, other, 'leader', term))).toBe('A8');
  });

  test('A9: a follower leads at once; a leader leaves office for no reason', () => {
    const scene = new Scene();
    stateOf(scene.follower).role = 'leader';
    expect(broken(() => scene.input(scene.follower))).toBe('A9');
    stateOf(scene.leader).role = 'follower';
    expect(broken(() => scene.input(scene.leader))).toBe('A9');
  });

  test('A10: a follower takes another for the leader', () => {
    const scene = new Scene();
    stateOf(scene.follower).leader = scene.other.id;
    expect(broken(() => scene.input(scene.follower))).toBe('A10');
  });

  test('A11: a follower sends entries', () => {
    const { follower, other, invariants } = new Scene();
    const message = { kind: 'heartbeat', ...envelope(follower, other), commit: 0, round: 1 } as const;
    expect(broken(() => invariants.onSend(follower.id, message))).toBe('A11');
  });

  test('A12: a vote is counted that was never sent', () => {
    const scene = new Scene();
    const { follower, other } = scene;
    stateOf(follower).votes = [{ voter: other.id, incarnation: other.incarnation, granted: true }];
    expect(broken(() => becomes(scene, follower, 'candidate', follower.core.term + 1))).toBe('A12');
  });

  test('A13: a PreVote raises the term', () => {
    const scene = new Scene();
    const { follower, other } = scene;
    Object.assign(stateOf(follower), { term: follower.core.term + 1, vote: null, leader: null });
    const message = { kind: 'preVote', ...envelope(other, follower), round: 1, lastIndex: 0, lastTerm: 0 } as const;
    expect(broken(() => scene.message(follower, message))).toBe('A13');
  });
});

describe('logs', () => {
  const after = ({ core }: CoreServer) => ({ index: core.lastIndex + 1, term: core.term, kind: 1, data }) as const;

  test('B1: an entry of an earlier term stands behind a later one', () => {
    const scene = new Scene();
    const entry = { ...after(scene.follower), term: 0 };
    expect(broken(() => scene.persists(scene.follower, { entries: [entry] }))).toBe('B1');
  });

  test('B2: a leader cuts its own log', () => {
    const scene = new Scene();
    stateOf(scene.leader).log.lastIndex -= 1;
    expect(broken(() => scene.input(scene.leader))).toBe('B2');
  });

  test('B3: an entry of the same index and term has another content', () => {
    const scene = new Scene();
    const { follower } = scene;
    const entry = { ...after(follower), index: follower.core.lastIndex };
    expect(broken(() => scene.persists(follower, { truncateFrom: entry.index, entries: [entry] }))).toBe('B3');
  });

  test('B4: a follower makes an entry', () => {
    const scene = new Scene();
    expect(broken(() => scene.persists(scene.follower, { entries: [after(scene.follower)] }))).toBe('B4');
  });

  test('B5: a follower cuts its log without a conflict', () => {
    const scene = new Scene();
    stateOf(scene.follower).log.lastIndex -= 1;
    expect(broken(() => scene.input(scene.follower))).toBe('B5');
    const { leader, follower } = scene;
    const early = {
      kind: 'appendEntries',
      ...envelope(leader, follower),
      prevIndex: 0,
      prevTerm: 0,
      entries: [],
      commit: 0,
    } as const;
    expect(broken(() => scene.message(follower, early))).toBe('B5');
  });

  test('B6: what is not on the disk is acknowledged', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const index = follower.core.lastIndex + 1;
    const reply = {
      kind: 'appendEntriesReply',
      ...envelope(follower, leader),
      accepted: true,
      index,
      hintIndex: 0,
      hintTerm: 0,
    } as const;
    expect(broken(() => scene.sends(follower, reply))).toBe('B6');
  });

  test('B7: a leader sends what is not in its log', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const { lastIndex, term } = leader.core;
    const header = { kind: 'appendEntries', ...envelope(leader, follower), commit: 0 } as const;
    expect(
      broken(() => scene.sends(leader, { ...header, prevIndex: lastIndex, prevTerm: term + 1, entries: [] })),
    ).toBe('B7');
    const entry = { index: lastIndex, term, kind: 1, data } as const;
    const message = {
      ...header,
      prevIndex: lastIndex - 1,
      prevTerm: leader.core.termAt(lastIndex - 1) ?? 0,
      entries: [entry],
    };
    expect(broken(() => scene.sends(leader, message))).toBe('B7');
  });

  test('B8: a leader believes that more is replicated than was acknowledged', () => {
    const scene = new Scene();
    scene.propose(1);
    const progress = stateOf(scene.leader).leadership?.progress[0];
    if (progress === undefined) throw new Error('The leader has no followers.');
    progress.match += 1;
    expect(broken(() => scene.output(scene.leader, {}))).toBe('B8');
  });

  test('B9: a refusal undoes what was acknowledged, or leads forward', () => {
    const scene = new Scene();
    const { leader, follower } = scene;
    const progress = stateOf(leader).leadership?.progress.find(({ id }) => id === follower.id);
    if (progress === undefined) throw new Error('The leader has no followers.');
    progress.match -= 1;
    const refusal = {
      kind: 'appendEntriesReply',
      ...envelope(follower, leader),
      accepted: false,
      index: 2,
      hintIndex: 1,
      hintTerm: 1,
    } as const;
    expect(broken(() => scene.message(leader, refusal))).toBe('B9');
    expect(broken(() => scene.sends(follower, { ...refusal, hintIndex: 9 }))).toBe('B9');
  });
});
