import type { Cluster } from '../cluster/cluster.ts';
import type { MakeService } from '../cluster/hosted-service.ts';

/** The parts of the classic course: election; log, persistence and bad networks; snapshots; the key-value service. Then what the course has not. */
export const parts = ['4A', '4B', 'snapshots', 'kv', 'beyond'] as const;
export type Part = (typeof parts)[number];

/** What every test has, whether it is run or searched. */
export interface ListedTest {
  readonly part: Part;
  /** As the course's suites call it. */
  readonly name: string;
  /** What the classic output calls it. */
  readonly title: string;
  readonly servers: number;
  /** Every order of events is tried, in place of those that chance draws (search-test.ts). */
  readonly isSearch?: true;
}

/** One scenario of the suite that is run. */
export interface LabTest extends ListedTest {
  readonly isSearch?: never;
  readonly isUnreliable: boolean;
  /** The service takes snapshots. */
  readonly hasSnapshots: boolean;
  /** A service of the scenario's own. */
  readonly makeService?: MakeService;
  /** What the service is told, see MakeOwnService. */
  readonly maxRaftState?: number;
  /** Milliseconds of the test's time that it may take; two minutes if not given. */
  readonly limit?: number;
  /** Throws ScenarioFailure when something is not as it must be. */
  readonly run: (cluster: Cluster) => Promise<void>;
}
