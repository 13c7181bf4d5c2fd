import { describe, expect, it } from 'vitest';
import { Heartbeat, HeartbeatWatch } from '../src/session/heartbeat.ts';

describe('a thread that runs tests', () => {
  it('is still when it is busy and does not beat from one look to the next', () => {
    const heart = new Heartbeat();
    const watch = new HeartbeatWatch(heart.cells);
    heart.begin();
    expect(watch.look()).toBe(false);
    expect(watch.look()).toBe(true);
    heart.beat();
    expect(watch.look()).toBe(false);
  });

  it('may rest between two tests', () => {
    const heart = new Heartbeat();
    const watch = new HeartbeatWatch(heart.cells);
    heart.begin();
    heart.end();
    expect([watch.look(), watch.look()]).toEqual([false, false]);
  });

  it('goes on where one test ends and another has beaten as often by the next look', () => {
    const heart = new Heartbeat();
    const watch = new HeartbeatWatch(heart.cells);
    heart.begin();
    heart.beat();
    watch.look();
    heart.end();
    heart.begin();
    heart.beat();
    expect(watch.look()).toBe(false);
  });
});
