import { type CoreRun, decodeTrace, explain, readCoreRun } from '@quorate/sim';
import { loadBug, readLines } from '@quorate/sim/node';
import { printExplanation } from './check-explanation.ts';
import { print } from './session.ts';

export async function runCheckReplay(path: string): Promise<void> {
  const { header, records } = decodeTrace(readLines(path));
  await replayCoreRun(readCoreRun(header, records));
}

/** Exit code 1 when it does not go as it went. */
export async function replayCoreRun({ options, bug, actions, broken }: CoreRun): Promise<void> {
  const core = bug === null ? {} : { core: (await loadBug(bug)).core };
  const explanation = explain({ ...options, ...core }, actions);
  printExplanation(explanation, broken);
  if (explanation.broken?.invariant === broken?.invariant) {
    print('\nEverything went as it went.');
    return;
  }
  print(
    `\nThis build goes another way: ${broken?.invariant ?? 'nothing'} broke when the trace was made, ${explanation.broken?.invariant ?? 'nothing'} breaks now.`,
  );
  process.exitCode = 1;
}
