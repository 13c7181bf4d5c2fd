/** Why an invariant is broken: the two facts that contradict each other, the steps that made them, and what lies between. */
import { causalSlice } from './causal.ts';
import { sentenceOf } from './invariant-list.ts';
import { withShortNames } from './names.ts';
import type { ViolationView } from './protocol.ts';
import type { StepRecord } from './step-record.ts';

export interface Why {
  readonly violation: ViolationView;
  /** What the invariant says, in a sentence. */
  readonly sentence: string;
  /** The step that made the first fact; null where no single step did. */
  readonly firstStep: number | null;
  readonly secondStep: number;
  /** Whether the first is in the past of the second. Where it is not, the second did not know of it: that is often what is wrong. */
  readonly isConnected: boolean;
  /** The steps by which the first led to the second, both included; the two alone where it did not lead there. */
  readonly slice: readonly SliceStep[];
}

export interface SliceStep {
  readonly step: number;
  readonly title: string;
}

export function whyOf(violation: ViolationView, records: readonly StepRecord[]): Why {
  const { step, invariant, first } = violation;
  const firstStep = violation.firstStep ?? stepOfFact(first, records.slice(0, step - 1));
  const led = firstStep === null ? [] : causalSlice(records, firstStep, step);
  const isConnected = led.includes(step);
  const slice = isConnected ? led : [...(firstStep === null ? [] : [firstStep]), step];
  return {
    violation: { ...violation, first: withShortNames(first), second: withShortNames(violation.second) },
    sentence: violation.sentence ?? sentenceOf(invariant),
    firstStep,
    secondStep: step,
    isConnected,
    slice: slice.map((each) => ({ step: each, title: records[each - 1]?.title ?? '' })),
  };
}

/** The step in which what the fact says came about, as far as its words tell. */
function stepOfFact(fact: string, records: readonly StepRecord[]): number | null {
  const server = /\b(?:n\d+|[0-9a-f]{16})\b/.exec(fact)?.[0] ?? null;
  const entry = /entry (\d+)/.exec(fact)?.[1];
  if (entry !== undefined) return stepOfEntry(fact, Number(entry), server, records);
  const term = /term (\d+)/.exec(fact)?.[1];
  if (term !== undefined && server !== null) {
    return (
      earliest(
        records,
        (record) => record.server === server && record.changes.role === 'leader' && /le(?:ads|d|ader)/.test(fact),
      ) ??
      earliest(
        records,
        (record) => record.server === server && record.changes.vote !== null && fact.includes('vote'),
      ) ??
      latest(records, (record) => record.server === server && record.changes.term === Number(term))
    );
  }
  return server === null ? null : latest(records, (record) => record.server === server);
}

function stepOfEntry(
  fact: string,
  index: number,
  server: string | null,
  records: readonly StepRecord[],
): number | null {
  if (fact.includes('committed')) return earliest(records, ({ changes }) => (changes.commit ?? 0) >= index);
  const appended = earliest(records, (record) => {
    const isHere = server === null || record.server === server;
    return isHere && record.appended.some(({ from, to }) => from <= index && index <= to);
  });
  if (!fact.includes('acknowledged')) return appended;
  return latest(records, ({ acknowledged }) => (acknowledged ?? 0) >= index) ?? appended;
}

type Test = (record: StepRecord) => boolean;

function earliest(records: readonly StepRecord[], test: Test): number | null {
  return records.find(test)?.step ?? null;
}

function latest(records: readonly StepRecord[], test: Test): number | null {
  return records.findLast(test)?.step ?? null;
}
