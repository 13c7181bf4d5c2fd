import { describe, expect, it } from 'vitest';
import { causalPast, causalRanks, causalSlice } from '../src/engine/causal.ts';
import type { StepRecord } from '../src/engine/step-record.ts';
import { whyOf } from '../src/engine/why.ts';

/** Steps by their causes: 1 and 2 are beginnings, 3 follows 1, 4 follows 2 and 3, 5 follows 2. */
const records = [[], [], [1], [2, 3], [2]].map((causes, at) => recordOf(at + 1, causes));

function recordOf(step: number, causes: readonly number[]): StepRecord {
  const changes = {
    role: null,
    term: null,
    vote: null,
    last: null,
    truncatedTo: null,
    durable: null,
    commit: null,
    applied: null,
  };
  return {
    step,
    at: step,
    kind: 'persist',
    server: `n${step}`,
    title: `step ${step}`,
    isRoutine: false,
    message: null,
    isLost: false,
    sent: [],
    causes,
    changes,
    appended: [],
    acknowledged: null,
  };
}

describe('what led to a step', () => {
  it('is its past, and nothing beside it', () => {
    expect(causalPast(records, 4)).toEqual([1, 2, 3, 4]);
    expect(causalPast(records, 5)).toEqual([2, 5]);
  });

  it('between two steps is what the first led to and what led to the second', () => {
    expect(causalSlice(records, 1, 4)).toEqual([1, 3, 4]);
    expect(causalSlice(records, 3, 5)).toEqual([]);
  });

  it('stands before it on the axis of causality', () => {
    expect(causalRanks(records)).toEqual([0, 0, 1, 2, 1]);
  });
});

describe('why an invariant is broken', () => {
  const violation = { step: 4, invariant: 'A3', second: 'its vote is now n2' };

  it('is told by the steps from the one fact to the other', () => {
    const why = whyOf({ ...violation, first: 'n3 voted for n3' }, records);
    expect(why).toMatchObject({ firstStep: 3, secondStep: 4, isConnected: true, slice: [{ step: 3 }, { step: 4 }] });
    expect(why.sentence).toBe('one vote for each (member, incarnation, term), for ever');
  });

  it('says so where the second did not know of the first', () => {
    const why = whyOf({ ...violation, step: 5, first: 'n4 did something' }, records);
    expect(why).toMatchObject({ firstStep: 4, isConnected: false, slice: [{ step: 4 }, { step: 5 }] });
  });

  it('has one step where no single step made the first fact', () => {
    const why = whyOf({ ...violation, first: 'nobody ever did' }, records);
    expect(why).toMatchObject({ firstStep: null, isConnected: false, slice: [{ step: 4 }] });
  });
});
