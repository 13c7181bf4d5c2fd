/** Where a load knocks. */

/** `refused`: definitely not done; `unknown`: perhaps done. */
export type Outcome = 'answered' | 'refused' | 'unknown';

export interface Door {
  /** Its place among the servers; null where one connection knows them all. */
  readonly server: number | null;
  /** Keys are numbers here. */
  read(key: number): Promise<Outcome>;
  write(key: number): Promise<Outcome>;
}

export interface Doors {
  /** `host:port` of those that are asked one by one. */
  readonly servers: readonly string[];
  /** Whose turn it is. */
  at(turn: number): Door;
  close(): Promise<void>;
}
