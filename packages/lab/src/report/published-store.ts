/** What others have published of the key-value part, in its Go versions and in real time. Facts as they printed them. */

/** The course's own page of 2024 (its sample of 2023 says the same), and two people's stores. */
export const storeSources = ['2024', 'E', 'F'] as const;

/** Seconds, RPCs, and operations of clients; null where that was not printed. */
export type StoreRun = readonly [number, number | null, number | null];

/** Tests that give clients so much time, not so much to do: what they get done is their figure. */
export interface StoreRow {
  readonly isTimed: boolean;
  /** In the order of the sources. */
  readonly runs: readonly StoreRun[];
}

function timed(...runs: readonly StoreRun[]): StoreRow {
  return { isTimed: true, runs };
}

/** So much to do: time and RPCs are its figures. */
function fixed(...runs: readonly StoreRun[]): StoreRow {
  return { isTimed: false, runs };
}

/** OnePartition has no row: they print it as three tests, without RPCs. */
export const publishedStores: Readonly<Record<string, StoreRow>> = {
  Basic: timed([15.5, 4_576, 903], [15.0, 41_866, 6_850], [15.2, 11_102, 2_214]),
  Speed: fixed([15.7, 3_022, null], [1.1, 21_497, null], [3.5, 3_014, null]),
  Concurrent: timed([15.9, 5_884, 1_160], [15.1, 65_020, 8_785], [15.4, 13_246, 2_577]),
  Unreliable: timed([19.2, 3_083, 441], [15.7, 8_245, 1_580], [16.5, 6_547, 1_067]),
  UnreliableOneKey: fixed([2.5, 218, 52], [1.0, 207, 52], [1.4, 219, 52]),
  ManyPartitionsOneClient: timed([23.8, 4_501, 765], [22.4, 35_646, 5_656], [23.1, null, 2_047]),
  ManyPartitionsManyClients: timed([23.5, 5_692, 974], [22.4, 100_789, 8_401], [22.8, null, 2_986]),
  PersistOneClient: timed([22.2, 4_721, 908], [19.4, null, 6_441], [19.8, null, 2_235]),
  PersistConcurrent: timed([22.5, 5_490, 1_033], [20.6, null, 8_506], [20.0, null, 2_691]),
  PersistConcurrentUnreliable: timed([26.5, 3_532, 474], [20.4, 9_291, 1_551], [23.0, 7_155, 1_000]),
  PersistPartition: timed([29.7, 6_122, 1_060], [26.9, 182_319, 7_861], [27.4, 16_092, 2_865]),
  PersistPartitionUnreliable: timed([32.9, 2_967, 317], [27.6, 7_902, 1_196], [28.2, 5_894, 558]),
  PersistPartitionUnreliableLinearizable: timed([35.0, 8_249, 746], [29.1, 18_601, 2_762], [34.8, 17_566, 1_387]),
  SnapshotRPC: fixed([4.0, 289, 63], [3.1, 18_128, 63], [2.1, 265, 63]),
  SnapshotSize: fixed([2.6, 2_418, 800], [0.4, 9_691, 800], [1.0, 2_412, 800]),
  SnapshotSpeed: fixed([3.2, 3_025, null], [0.4, 10_854, null], [1.2, 3_018, null]),
  SnapshotRecover: timed([21.9, 29_266, 5_820], [21.6, 316_822, 56_985], [19.6, 55_028, 10_952]),
  SnapshotRecoverManyClients: timed([21.5, 33_115, 6_420], [20.5, 339_882, 76_403], [19.8, 56_273, 10_255]),
  SnapshotUnreliable: timed([17.4, 3_233, 482], [15.7, 8_443, 1_581], [17.9, 6_143, 919]),
  SnapshotUnreliableRecover: timed([22.7, 3_337, 471], [21.4, 9_470, 1_607], [20.8, 6_550, 892]),
  SnapshotUnreliableRecoverConcurrentPartition: timed([30.4, 2_725, 274], [27.1, 7_540, 1_045], [27.7, 6_418, 658]),
  SnapshotUnreliableRecoverConcurrentPartitionLinearizable: timed(
    [37.7, 8_378, 681],
    [28.7, 19_008, 2_716],
    [32.5, 16_218, 1_182],
  ),
};
