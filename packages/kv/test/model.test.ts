import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertLong } from '../../../test-support/long-property.ts';
import {
  type DeleteRangeRequest,
  type PutRequest,
  RangeRequest,
  RangeResponse,
  type TxnRequest,
} from '../src/api/index.ts';
import { encodeRange } from '../src/machine/response.ts';
import { selectRange } from '../src/machine/range.ts';
import { WorkMeter } from '../src/machine/steps.ts';
import { checkTxn } from '../src/service/checks.ts';
import { MachineDriver, plainRange } from './support/machine-driver.ts';
import { deleteRange, put, range, txn } from './support/requests.ts';
import { ModelError, NaiveModel } from './support/naive-model.ts';

type Step =
  | { readonly do: 'put'; readonly request: PutRequest }
  | { readonly do: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly do: 'txn'; readonly request: TxnRequest }
  | { readonly do: 'compact'; readonly revision: number }
  | { readonly do: 'range'; readonly request: RangeRequest }
  | { readonly do: 'reclaim' }
  | { readonly do: 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: put.map((request) => ({ do: 'put', request }) as const) },
  { weight: 3, arbitrary: deleteRange.map((request) => ({ do: 'deleteRange', request }) as const) },
  { weight: 5, arbitrary: txn.map((request) => ({ do: 'txn', request }) as const) },
  { weight: 1, arbitrary: fc.integer({ min: -1, max: 25 }).map((revision) => ({ do: 'compact', revision }) as const) },
  { weight: 8, arbitrary: range.map((request) => ({ do: 'range', request }) as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'reclaim' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' } as const) },
);

describe('the store against a naive model', () => {
  it('answers every request as the model does, whatever was compacted, reclaimed or restored in between', () => {
    assertLong(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.constantFrom(1, 3, 1000), (steps, units) => {
        const driver = new MachineDriver({ unitsPerSlice: units, reclaimedPerCommand: 1 });
        const model = new NaiveModel();
        for (const each of steps) {
          const wanted = orError(() => answerOfModel(model, each));
          const got = answerOfMachine(driver, each);
          expect(got).toEqual(wanted);
          expect(driver.machine.store.revision).toBe(model.revision);
        }
        expectSameHistory(driver, model);
      }),
      { numRuns: 1500 },
    );
  });
});

function answerOfModel(model: NaiveModel, step: Step): unknown {
  switch (step.do) {
    case 'put':
      return model.put(step.request);
    case 'deleteRange':
      return model.deleteRange(step.request);
    case 'txn':
      // What the service would not let pass never reaches the machine.
      return checkTxn(step.request, 128) === null ? model.txn(step.request) : 'not asked';
    case 'compact':
      model.compact(step.revision);
      return { revision: model.revision };
    case 'range':
      return model.range(step.request);
    default:
      return 'done';
  }
}

function answerOfMachine(driver: MachineDriver, step: Step): unknown {
  switch (step.do) {
    case 'put':
      return driver.put(step.request);
    case 'deleteRange':
      return driver.deleteRange(step.request);
    case 'txn':
      return checkTxn(step.request, 128) === null ? driver.txn(step.request) : 'not asked';
    case 'compact':
      return driver.compact(step.revision);
    case 'range':
      return rangeOf(driver, step.request);
    case 'reclaim':
      while (driver.machine.reclaim(2));
      return 'done';
    case 'restart':
      driver.restart();
      return 'done';
  }
}

function rangeOf(driver: MachineDriver, request: RangeRequest): unknown {
  const { store } = driver.machine;
  const at = request.revision > 0 ? request.revision : store.revision;
  if (at > store.revision) return { error: 'futureRevision' };
  if (at < store.compactRevision) return { error: 'compacted' };
  const meter = new WorkMeter();
  const selection = finish(selectRange(store, request, at, meter));
  const bytes = finish(encodeRange(selection, request.keysOnly, new Uint8Array(), 1 << 20, meter));
  return { ...plainRange(RangeResponse.decode(bytes as Uint8Array)), revision: store.revision };
}

function finish<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Every revision that may still be read shows what it showed when it was new. */
function expectSameHistory(driver: MachineDriver, model: NaiveModel): void {
  const everything = RangeRequest.create({ key: new Uint8Array([0]), rangeEnd: new Uint8Array([0]) });
  for (let at = Math.max(1, model.compactRevision); at <= model.revision; at++) {
    const request = { ...everything, revision: at };
    expect(rangeOf(driver, request)).toEqual(model.range(request));
  }
}

function orError(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof ModelError) return { error: error.message };
    throw error;
  }
}
