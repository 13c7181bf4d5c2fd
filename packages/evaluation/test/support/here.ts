import { fileURLToPath } from 'node:url';
import type { Row } from '../../src/experiment.ts';
import { Harness } from '../../src/harness/harness.ts';
import { portSource } from '../../src/harness/port-range.ts';
import { LocalPlace } from '../../src/places/local-place.ts';
import { conditionsOf } from '../../src/report/conditions.ts';

/** The command, as it is started by its tests: it runs what was built. */
export const ENTRY = fileURLToPath(new URL('../../../cli/bin/quorate.cjs', import.meta.url));

/** A harness whose servers are processes of this machine, with their data below `directory`. */
export function harnessHere(
  directory: string,
  key: string,
  record: (row: Row) => void = () => undefined,
  seed = 1,
): Harness {
  const conditions = conditionsOf('test', directory);
  return new Harness({
    places: [new LocalPlace({ entry: ENTRY, home: directory, ports: portSource(null), conditions })],
    seed,
    key,
    signal: new AbortController().signal,
    record,
    note: () => undefined,
  });
}
