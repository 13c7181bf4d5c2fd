import { describe, expect, test } from 'vitest';
import { Ledger } from '../src/dev/ledger.ts';
import { PauseWatch } from '../src/dev/pause.ts';

function acknowledgedOnce(revision: number): Ledger {
  const ledger = new Ledger();
  ledger.settleAcknowledged('k', ledger.begin('k'), revision);
  return ledger;
}

describe('the ledger of acknowledged writes', () => {
  test('what was acknowledged is found: nothing is lost', () => {
    const ledger = acknowledgedOnce(7);
    ledger.verify(ledger.expect('k'), { sequence: 1, revision: 7 });
    expect(ledger).toMatchObject({ acknowledged: 1, lost: 0, checked: 1 });
  });

  test('a key that is gone is lost, and counted once however often it is looked for', () => {
    const ledger = acknowledgedOnce(7);
    ledger.verify(ledger.expect('k'), null);
    ledger.verify(ledger.expect('k'), null);
    expect(ledger.lost).toBe(1);
    expect(ledger.brokenPromises[0]).toContain('the key is gone');
  });

  test('an older revision than the acknowledged one is a loss', () => {
    const ledger = acknowledgedOnce(7);
    ledger.settleAcknowledged('k', ledger.begin('k'), 9);
    ledger.verify(ledger.expect('k'), { sequence: 1, revision: 7 });
    expect(ledger.lost).toBe(1);
  });

  test('another write at the acknowledged revision is a loss', () => {
    const ledger = acknowledgedOnce(7);
    ledger.begin('k');
    ledger.verify(ledger.expect('k'), { sequence: 2, revision: 7 });
    expect(ledger.lost).toBe(1);
  });

  test('a write still on its way may already show', () => {
    const ledger = acknowledgedOnce(7);
    const expected = ledger.expect('k');
    ledger.begin('k');
    ledger.verify(expected, { sequence: 2, revision: 8 });
    expect(ledger.lost).toBe(0);
  });

  test('a write of unknown outcome may show up late, after a newer one was acknowledged', () => {
    const ledger = acknowledgedOnce(7);
    const uncertain = ledger.begin('k');
    ledger.settleUnknown('k', uncertain);
    ledger.settleAcknowledged('k', ledger.begin('k'), 9);
    ledger.verify(ledger.expect('k'), { sequence: uncertain, revision: 10 });
    expect(ledger.lost).toBe(0);
  });

  test('a value that was never sent is a fault', () => {
    const ledger = acknowledgedOnce(7);
    ledger.verify(ledger.expect('k'), { sequence: 5, revision: 9 });
    expect(ledger.lost).toBe(1);
  });

  test('an acknowledgement at a revision that is not new is a fault', () => {
    const ledger = acknowledgedOnce(7);
    ledger.settleAcknowledged('k', ledger.begin('k'), 7);
    expect(ledger.lost).toBe(1);
  });

  test('what an earlier run left is expected to stay', () => {
    const ledger = new Ledger();
    ledger.adopt('k', { sequence: 40, revision: 100 });
    ledger.verify(ledger.expect('k'), null);
    expect(ledger.lost).toBe(1);
    expect(ledger.begin('k')).toBe(41);
  });
});

describe('the watch on pauses', () => {
  test('the longest gap since the last disturbance counts; smaller ones after it do not hide it', () => {
    const watch = new PauseWatch();
    watch.acknowledged(0);
    watch.disturbed('kill -9 of s1');
    watch.acknowledged(1_200);
    watch.acknowledged(1_300);
    expect(watch.last).toEqual({ ms: 1_200, endedAt: 1_200, after: 'kill -9 of s1' });
  });

  test('until a new disturbance has had its pause, the one before is shown', () => {
    const watch = new PauseWatch();
    watch.acknowledged(0);
    watch.acknowledged(400);
    watch.disturbed('healing');
    expect(watch.last).toMatchObject({ ms: 400, after: 'the start' });
    watch.acknowledged(500);
    expect(watch.last).toMatchObject({ ms: 100, after: 'healing' });
  });

  test('gaps below 50 ms are no pause', () => {
    const watch = new PauseWatch();
    watch.acknowledged(0);
    watch.acknowledged(49);
    expect(watch.last).toBeNull();
    expect(watch.current(90)).toBeNull();
    expect(watch.current(200)).toBe(151);
  });
});
