/** The few figures that earlier systems left behind, as points to compare with. Machines and versions of then are not known. */

/** A replicated store in Go, December 2019: from the start of the servers to the first answer that names a leader. */
export const GO_2019_INITIAL: readonly { readonly servers: number; readonly medianMs: number }[] = [
  { servers: 3, medianMs: 513 },
  { servers: 5, medianMs: 923 },
  { servers: 7, medianMs: 526 },
  { servers: 9, medianMs: 534 },
];
