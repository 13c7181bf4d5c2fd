import { defaultSessionLimits, RaftError, type SessionLimits, withoutSession } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { encodeClose, encodeCommand, encodeOpen } from '../../src/sessions/envelope.ts';
import { command } from '../support/counter.ts';
import { applyAt, durableReplica, emptyLedgerFile, memoryReplica, type Replica } from '../support/session-machines.ts';

const kinds: readonly [string, () => Replica][] = [
  ['in memory', () => memoryReplica()],
  ['durable', () => durableReplica()],
];

describe.each(kinds)('a state machine with sessions, %s', (_, create) => {
  it('applies a command once and gives its duplicates the same answer', () => {
    const { send, replica } = scene(create());
    const session = send.open('a');
    const first = send.command(session, 1, 'x');
    expect(first).toMatchObject({ kind: 'applied', isRepeated: false, result: { sum: 1 } });
    expect(send.command(session, 2, 'y')).toMatchObject({ kind: 'applied', result: { sum: 2 } });
    expect(send.command(session, 1, 'x')).toEqual({ ...first, isRepeated: true });
    expect(replica.commands()).toEqual(['x', 'y']);
  });

  it('takes the commands of a session in any order', () => {
    const { send, replica } = scene(create());
    const session = send.open('a');
    send.command(session, 3, 'three');
    send.command(session, 1, 'one');
    send.command(session, 2, 'two');
    expect(replica.commands()).toEqual(['three', 'one', 'two']);
  });

  it('lets an answer go when the client has it, and applies the command no more', () => {
    const { send, replica } = scene(create());
    const session = send.open('a');
    send.command(session, 1, 'x');
    const kept = replica.machine.sessionStatus().keptBytes;
    send.command(session, 2, 'y', 2);
    expect(replica.machine.sessionStatus().keptBytes).toBe(kept);
    expect(send.command(session, 1, 'x')).toEqual({ kind: 'refused', reason: 'acknowledged' });
    expect(replica.commands()).toEqual(['x', 'y']);
  });

  it('never applies what its client gave up before it reached the log', () => {
    const { send, replica } = scene(create());
    const session = send.open('a');
    send.command(session, 2, 'y', 2);
    expect(send.command(session, 1, 'late')).toEqual({ kind: 'refused', reason: 'acknowledged' });
    expect(replica.commands()).toEqual(['y']);
  });

  it('refuses what would make it keep more answers than the window', () => {
    const { send, replica } = scene(create());
    const session = send.open('a', { window: 2 });
    send.command(session, 1, 'x');
    send.command(session, 2, 'y');
    expect(send.command(session, 3, 'z')).toEqual({ kind: 'refused', reason: 'beyondWindow' });
    expect(send.command(session, 3, 'z', 2)).toMatchObject({ kind: 'applied' });
    expect(replica.commands()).toEqual(['x', 'y', 'z']);
  });

  it('finds the session that the same open has opened, and opens another for another', () => {
    const { send } = scene(create());
    const session = send.open('a');
    expect(send.open('a')).toBe(session);
    expect(send.open('b')).not.toBe(session);
  });

  it('ends the session that was used least recently when there are too many', () => {
    const { send, replica } = scene(create());
    const limits = { maxSessions: 2 };
    const a = send.open('a', { limits });
    const b = send.open('b', { limits });
    send.command(a, 1, 'a1');
    const c = send.open('c', { limits });
    expect(send.command(b, 1, 'b1')).toEqual({ kind: 'refused', reason: 'expired' });
    expect(send.command(a, 1, 'a1')).toMatchObject({ kind: 'applied', isRepeated: true });
    expect(send.command(c, 1, 'c1')).toMatchObject({ kind: 'applied', isRepeated: false });
    expect(replica.commands()).toEqual(['a1', 'c1']);
  });

  it('never gives the id of an ended session to another, nor applies what is late for the ended one', () => {
    const { send, replica } = scene(create());
    const limits = { maxSessions: 1 };
    const a = send.open('a', { limits });
    send.open('b', { limits });
    const again = send.open('a', { limits });
    expect(again).not.toBe(a);
    expect(send.command(a, 1, 'late')).toEqual({ kind: 'refused', reason: 'expired' });
    expect(replica.commands()).toEqual([]);
  });

  it('keeps at most so many bytes of answers, but those of the session in use', () => {
    const { send, replica } = scene(create());
    const limits = { maxKeptBytes: 400 };
    const a = send.open('a', { limits });
    for (let i = 1; i <= 4; i++) send.command(a, i, 'a');
    expect(replica.machine.sessionStatus()).toMatchObject({ sessions: 1 });
    const b = send.open('b', { limits });
    for (let i = 1; i <= 4; i++) send.command(b, i, 'b');
    expect(replica.machine.sessionStatus().sessions).toBe(1);
    expect(replica.machine.sessionStatus().keptBytes).toBeLessThanOrEqual(400);
    expect(send.command(a, 5, 'a')).toEqual({ kind: 'refused', reason: 'expired' });
    for (let i = 5; i <= 60; i++) send.command(b, i, 'b');
    expect(replica.machine.sessionStatus().sessions).toBe(1);
    expect(send.command(b, 1, 'b')).toMatchObject({ isRepeated: true });
  });

  it('forgets a session that is closed, and takes a second close for done', () => {
    const { send, replica } = scene(create());
    const session = send.open('a');
    send.command(session, 1, 'x');
    expect(send.raw(encodeClose(session))).toEqual({ kind: 'closed' });
    expect(send.raw(encodeClose(session))).toEqual({ kind: 'closed' });
    expect(send.command(session, 1, 'x')).toEqual({ kind: 'refused', reason: 'expired' });
    expect(replica.machine.sessionStatus()).toEqual({ sessions: 0, keptBytes: 0 });
  });

  it('applies commands of no session as often as they come', () => {
    const { send, replica } = scene(create());
    expect(send.raw(command('plain'))).toMatchObject({ kind: 'applied', isRepeated: false });
    const looksLikeOne = encodeClose(7);
    send.raw(withoutSession(looksLikeOne));
    send.raw(withoutSession(looksLikeOne));
    expect(replica.commands()).toHaveLength(3);
  });

  it.each([
    ['cut off', encodeCommand({ session: 1, sequence: 1, lowest: 1, data: new Uint8Array(0) }).slice(0, 7)],
    ['with nothing behind the magic', Uint8Array.of(0xff, 0x51, 0x53, 0x45)],
    ['in format 0', Uint8Array.of(0xff, 0x51, 0x53, 0x45, 0, 1)],
    ['of an unknown kind', Uint8Array.of(0xff, 0x51, 0x53, 0x45, 1, 9)],
    ['whose lowest is above its sequence', encodeCommand({ session: 1, sequence: 1, lowest: 2, data: command('x') })],
    ['with a window of 0', encodeOpen({ token: 'a', window: 0, limits: defaultSessionLimits })],
    ['with a window beyond all bounds', encodeOpen({ token: 'a', window: 1e6, limits: defaultSessionLimits })],
    ['without a token', encodeOpen({ token: '', window: 1, limits: defaultSessionLimits })],
    ['with a limit of 0', encodeOpen({ token: 'a', window: 1, limits: { maxSessions: 0, maxKeptBytes: 1 } })],
    ['that goes on behind its end', Uint8Array.of(...encodeClose(1), 0)],
  ])('refuses an envelope %s, on every server alike', (_what, bytes) => {
    const { send, replica } = scene(create());
    expect(send.raw(bytes)).toEqual({ kind: 'refused', reason: 'malformed' });
    expect(replica.commands()).toEqual([]);
  });

  it('stops rather than guess what a later version means', () => {
    const { send } = scene(create());
    const later = encodeClose(1);
    later[4] = 2;
    expect(() => send.raw(later)).toThrow(RaftError);
    expect(() => send.raw(later)).toThrow(/format 2.*Run the version/);
  });
});

describe('a durable state machine with sessions', () => {
  it('knows after a crash what was applied, and gives the same answers', () => {
    const file = emptyLedgerFile();
    const before = scene(durableReplica(file));
    const session = before.send.open('a');
    const answer = before.send.command(session, 1, 'x');
    before.send.command(session, 2, '~slow');
    const after = scene(durableReplica(file), file.applied);
    expect(after.send.command(session, 1, 'x')).toEqual({ ...answer, isRepeated: true });
    expect(after.send.command(session, 2, '~slow')).toMatchObject({ isRepeated: true });
    expect(file.commands).toEqual(['x', '~slow']);
  });

  it('lets the same session go after a crash as without one', () => {
    const file = emptyLedgerFile();
    const before = scene(durableReplica(file));
    const limits = { maxSessions: 2 };
    const a = before.send.open('a', { limits });
    const b = before.send.open('b', { limits });
    before.send.command(a, 1, 'a1');
    const after = scene(durableReplica(file), file.applied);
    after.send.open('c', { limits });
    expect(after.send.command(b, 1, 'b1')).toEqual({ kind: 'refused', reason: 'expired' });
    expect(after.send.command(a, 1, 'a1')).toMatchObject({ isRepeated: true });
  });

  it('counts every command as applied, also those that leave it as it is', () => {
    const file = emptyLedgerFile();
    const { send, replica } = scene(durableReplica(file));
    send.command(999, 1, 'of no session');
    expect(replica.machine.appliedIndex()).toBe(1);
    send.open('a');
    expect(replica.machine.appliedIndex()).toBe(2);
  });

  it.each([
    ['an answer without its session', 'answer/1/1', command('x'), /belongs to session 1/],
    ['an unknown key', 'session/x', command('x'), /unknown key 'session\/x'/],
    ['a session cut off', 'session/1', command('x'), /session 1 is malformed/],
    ['limits of a later version', 'table', Uint8Array.of(2), /format 2.*Run the version/],
  ])('refuses records that hold %s', (_, key, value, message) => {
    const file = emptyLedgerFile();
    scene(durableReplica(file)).send.open('a');
    file.sessions = new Map([...file.sessions].filter(([each]) => each === 'table')).set(key, value);
    expect(() => durableReplica(file)).toThrow(message);
  });
});

/** A replica, and a log whose commands it gets one after the other. */
function scene(replica: Replica, applied = 0) {
  let index = applied;
  const raw = (data: Uint8Array) => applyAt(replica, ++index, data);
  return {
    replica,
    send: {
      raw,
      open(
        token: string,
        options: { readonly window?: number; readonly limits?: Partial<SessionLimits> } = {},
      ): number {
        const limits = { ...defaultSessionLimits, ...options.limits };
        const answer = raw(encodeOpen({ token, window: options.window ?? 64, limits }));
        if (answer.kind !== 'opened') throw new Error(`not opened: ${JSON.stringify(answer)}`);
        return answer.session;
      },
      command: (session: number, sequence: number, text: string, lowest = 1) =>
        raw(encodeCommand({ session, sequence, lowest, data: command(text) })),
    },
  };
}
