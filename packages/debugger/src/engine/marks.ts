/** What of a step stands out on the time line. */
import type { BranchMark } from './protocol.ts';
import type { StepRecord } from './step-record.ts';

export function marksOf({ step, kind, title, changes, server }: StepRecord): readonly BranchMark[] {
  if (changes.role === 'leader') {
    return [{ step, kind: 'leader', text: `${server ?? ''} is elected` }];
  }
  switch (kind) {
    case 'crash':
      return [{ step, kind: 'crash', text: title }];
    case 'restart':
      return [{ step, kind: 'restart', text: title }];
    case 'cut':
      return [{ step, kind: 'partition', text: title }];
    case 'heal':
    case 'mend':
      return [{ step, kind: 'heal', text: title }];
    default:
      return [];
  }
}
