import { encodeTrace, type PlanTrace, planTrace } from '@quorate/sim';
import { writeLines } from '@quorate/sim/node';
import { quorateVersion } from '@quorate/server';

/** Writes a run as a trace, to a file that must not be there yet. */
export function savePlan(path: string, saved: PlanTrace, createdBy: string): void {
  const { header, records } = planTrace(saved, quorateVersion, createdBy);
  writeLines(path, encodeTrace(header, records));
}
