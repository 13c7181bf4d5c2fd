/** The few figures that earlier systems left behind, as points to compare with. Machines and versions of then are not known. */

/** A replicated store in Go, December 2019: from the start of the servers to the first answer that names a leader. */
export const GO_2019_INITIAL: readonly { readonly servers: number; readonly medianMs: number }[] = [
  { servers: 3, medianMs: 513 },
  { servers: 5, medianMs: 923 },
  { servers: 7, medianMs: 526 },
  { servers: 9, medianMs: 534 },
];

/** The same system: time to replace a leader that stutters for 50, 150, 250, 500, 750 and 1000 ms. Medians of 100, milliseconds. */
export const GO_2019_STUTTER: readonly { readonly servers: number; readonly medians: readonly number[] }[] = [
  { servers: 5, medians: [476, 612, 508, 1005, 754, 1003] },
  { servers: 7, medians: [812, 1071, 1013, 1006, 1507, 1006] },
  { servers: 9, medians: [847, 924, 761, 1006, 1507, 1005] },
];
