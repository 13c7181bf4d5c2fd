import { defaultSessionLimits } from '@quorate/runtime';
import { describe, expect, it } from 'vitest';
import { encodeCommand, encodeOpen } from '../../src/sessions/envelope.ts';
import { command } from '../support/counter.ts';
import {
  applyAt,
  durableReplica,
  memoryReplica,
  type Replica,
  restore,
  slicesOf,
} from '../support/session-machines.ts';

const kinds: readonly [string, () => Replica][] = [
  ['in memory', () => memoryReplica()],
  ['durable', () => durableReplica()],
];

describe.each(kinds)('the snapshot of a state machine with sessions, %s', (_, create) => {
  it('brings the sessions and their answers', () => {
    const [from, to] = [create(), create()];
    const session = open(from, 1, 'a');
    const answer = applyAt(from, 2, x(session, 1));
    restore(to, slicesOf(from.machine.openSnapshot()), 2);
    expect(to.machine.appliedIndex()).toBe(2);
    expect(to.machine.sessionStatus()).toEqual(from.machine.sessionStatus());
    expect(applyAt(to, 3, x(session, 1))).toEqual({ ...answer, isRepeated: true });
    expect(to.commands()).toEqual(['x1']);
  });

  it('replaces what was there', () => {
    const [from, to] = [create(), create()];
    const session = open(to, 1, 'gone');
    restore(to, slicesOf(from.machine.openSnapshot()), 2);
    expect(applyAt(to, 3, x(session, 1))).toEqual({ kind: 'refused', reason: 'expired' });
  });

  it('shows nothing of what came after it was opened', () => {
    const [from, to] = [create(), create()];
    const [a, b] = [open(from, 1, 'a'), open(from, 2, 'b')];
    const answer = applyAt(from, 3, x(a, 1));
    const source = from.machine.openSnapshot();
    applyAt(from, 4, x(a, 2, 2));
    applyAt(from, 5, x(b, 1));
    for (let i = 0; i < 5; i++) open(from, 6 + i, `c${i}`, 2);
    restore(to, slicesOf(source), 3);
    expect(to.machine.sessionStatus().sessions).toBe(2);
    expect(applyAt(to, 4, x(a, 1))).toEqual({ ...answer, isRepeated: true });
    expect(applyAt(to, 5, x(a, 2, 2))).toMatchObject({ isRepeated: false });
    expect(applyAt(to, 6, x(b, 1))).toMatchObject({ isRepeated: false });
  });

  it('keeps the order in which sessions were used, and their limits', () => {
    const [from, to] = [create(), create()];
    const [a, b] = [open(from, 1, 'a', 2), open(from, 2, 'b', 2)];
    applyAt(from, 3, x(a, 1));
    restore(to, slicesOf(from.machine.openSnapshot()), 3);
    open(to, 4, 'c', 2);
    expect(applyAt(to, 5, x(b, 1))).toEqual({ kind: 'refused', reason: 'expired' });
    expect(applyAt(to, 6, x(a, 1))).toMatchObject({ isRepeated: true });
  });

  it('comes in slices of bounded size', () => {
    const from = create();
    const session = open(from, 1, 'a', 1024, 4096);
    for (let i = 1; i <= 4096; i++)
      applyAt(from, 1 + i, encodeCommand({ session, sequence: i, lowest: 1, data: command('x'.repeat(40)) }));
    const slices = slicesOf(from.machine.openSnapshot());
    const sessions = slices.slice(
      0,
      slices.findIndex((slice) => slice[0] === 2 && slice.length < 16),
    );
    expect(Math.max(...sessions.map((slice) => slice.length))).toBeLessThan((256 << 10) + 1024);
    const to = create();
    restore(to, slices, 4097);
    expect(to.machine.sessionStatus()).toEqual(from.machine.sessionStatus());
  });

  describe('is refused', () => {
    const good = (): Uint8Array[] => {
      const from = create();
      applyAt(from, 2, x(open(from, 1, 'a'), 1));
      return slicesOf(from.machine.openSnapshot()).map((slice) => slice.slice());
    };

    it('when it was written without sessions', () => {
      expect(() => restore(create(), good().slice(3), 2)).toThrow(/does not begin with sessions/);
    });

    it('when a later version wrote it', () => {
      const slices = good();
      slices[0] = Uint8Array.of(0xff, 0x51, 0x53, 0x4e, 2);
      expect(() => restore(create(), slices, 2)).toThrow(/format 2.*Run the version/);
    });

    it('when it ends within the sessions', () => {
      expect(() => restore(create(), good().slice(0, 2), 2)).toThrow(/ends before its sessions do/);
    });

    it('when a slice of records is missing', () => {
      const slices = good();
      slices.splice(1, 1);
      expect(() => restore(create(), slices, 2)).toThrow(/does not match its checksum/);
    });

    it('when any bit of the sessions is wrong, and leaves what was there', () => {
      const whole = good();
      const end = 3;
      for (let at = 0; at < end; at++) {
        const bits = (whole[at]?.length ?? 0) * 8;
        for (let bit = 0; bit < bits; bit++) {
          const slices = whole.map((slice) => slice.slice());
          const slice = slices[at];
          if (slice === undefined) throw new Error('no slice');
          slice[bit >>> 3] = (slice[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
          const to = create();
          const session = open(to, 1, 'there');
          expect(() => restore(to, slices, 2), `slice ${at}, bit ${bit}`).toThrow(Error);
          expect(applyAt(to, 3, x(session, 1))).toMatchObject({ kind: 'applied' });
        }
      }
    });
  });
});

function open(replica: Replica, index: number, token: string, maxSessions = 1024, window = 64): number {
  const answer = applyAt(
    replica,
    index,
    encodeOpen({ token, window, limits: { ...defaultSessionLimits, maxSessions } }),
  );
  if (answer.kind !== 'opened') throw new Error(JSON.stringify(answer));
  return answer.session;
}

function x(session: number, sequence: number, lowest = 1): Uint8Array {
  return encodeCommand({ session, sequence, lowest, data: command(`x${sequence}`) });
}
