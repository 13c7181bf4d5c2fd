import { fileURLToPath } from 'node:url';
import type { Row } from '../../src/experiment.ts';
import { Harness, type HarnessOptions } from '../../src/harness/harness.ts';
import { portSource } from '../../src/harness/port-range.ts';
import { LocalPlace } from '../../src/places/local-place.ts';
import { conditionsOf } from '../../src/report/conditions.ts';

/** The command, as it is started by its tests: it runs what was built. */
export const ENTRY = fileURLToPath(new URL('../../../cli/bin/quorate.cjs', import.meta.url));

/** What a harness is given whose servers are processes of this machine, with their data below `directory`. */
export function optionsHere(
  directory: string,
  key: string,
  record: (row: Row) => void = () => undefined,
): HarnessOptions {
  const conditions = conditionsOf('test', directory);
  return {
    places: [new LocalPlace({ entry: ENTRY, home: directory, ports: portSource(null), conditions })],
    seed: 1,
    key,
    signal: new AbortController().signal,
    record,
    note: () => undefined,
  };
}

export function harnessHere(directory: string, key: string, record?: (row: Row) => void): Harness {
  return new Harness(optionsHere(directory, key, record));
}
