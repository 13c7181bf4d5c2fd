/**
 * Random logs of session commands: sent once, again, late, out of order, by clients that acknowledge, give up, close and come back.
 * Three replicas apply each: one in memory, one in memory that is replaced by its own snapshot now and then, one durable that crashes.
 * All must answer as a naive model does, which keeps everything that it ever knew.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertLong } from '../../../../test-support/long-property.ts';
import { clients, type Step, World } from '../support/session-world.ts';

const client = fc.nat({ max: clients - 1 });
const limits = fc.record({
  maxSessions: fc.integer({ min: 1, max: clients }),
  maxKeptBytes: fc.integer({ min: 1, max: 2000 }),
});

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('open'), client, window: fc.integer({ min: 1, max: 4 }), limits }),
    },
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('next'), client, unanswered: fc.nat({ max: 5 }), isSlow: fc.boolean() }),
    },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('again'), back: fc.nat({ max: 30 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close'), client }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('plain') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash') }) },
  ),
  { minLength: 20, maxLength: 150, size: 'max' },
) as fc.Arbitrary<readonly Step[]>;

describe('random logs of session commands', () => {
  it('are answered as the model says, by every replica, and applied at most once', () => {
    const seen = new Set<string>();
    assertLong(
      fc.property(steps, (all) => {
        const world = new World(seen);
        for (const step of all) world.run(step);
        world.finish();
      }),
      { numRuns: Number(process.env['QUORATE_SESSION_RUNS'] ?? 500) },
    );
    expect([...seen].sort()).toEqual([
      'acknowledged',
      'applied',
      'beyondWindow',
      'closed',
      'expired',
      'opened',
      'repeated',
    ]);
  });
});
