/** How a search test failed: what was found, in words, and the way there. */
import type { Broken, SeenFinding } from '@quorate/sim';
import { nameOf } from '../record/recorder.ts';
import type { SearchTest } from '../suite/search-test.ts';
import type { SearchFailure } from './search-report.ts';
import type { Telling } from './telling.ts';

/** What is to be known of a way by whoever looks at it. */
export const searchedRemark =
  'The shortest way that a search found. A search knows no time: steps stand a millisecond apart.';
export const rerunRemark = 'A way that a search found and shortened. Steps stand a millisecond apart.';
export const nearestRemark =
  'The way to the state that came nearest to where the search must get. Steps stand a millisecond apart.';

export function tellBroken({ invariant, first, second }: Broken): string {
  return `${invariant}: ${[first, second].filter((fact) => fact !== '').join(', but ')}`;
}

export function findingOf({ invariant, first, second }: Broken): SeenFinding {
  return second === '' ? { rule: invariant, first: 'the rule', second: first } : { rule: invariant, first, second };
}

/** `how`: what came of looking for it. */
export function missed(stage: string, goal: string, how: string): SeenFinding {
  return {
    rule: 'some order of events leads to each goal',
    first: `the test goes on to "${stage}": ${goal}`,
    second: how,
  };
}

/** `telling` has come to the end of the way. `remark`: what is to be known of that. */
export function failureAtEnd(
  { name, title, servers }: SearchTest,
  { lines, recorder }: Telling,
  finding: SeenFinding,
  { message, remark }: { readonly message: string; readonly remark: string },
): SearchFailure {
  const way = {
    title: `${name}: ${title}`,
    servers: Array.from({ length: servers }, (_, server) => nameOf(server)),
    failure: message,
    finding,
    remark,
    left: 0,
    events: recorder.events,
  };
  return { message, lines, way };
}
