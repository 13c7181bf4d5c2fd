/** What servers behind the third door go through. */
export interface DoorTest {
  readonly name: string;
  readonly title: string;
  readonly servers: number;
  /** That work side by side; none in scenarios with a course of their own. */
  readonly clients: number;
  readonly isUnreliable: boolean;
  readonly hasPartitions: boolean;
  /** Servers that are killed again and again; all: once, together. */
  readonly kills: 'none' | 'one' | 'all';
  /** Whoever does what clients want is cut off, and must do nothing any more. */
  readonly isolatesLeader: boolean;
}

const calm = {
  servers: 3,
  clients: 1,
  isUnreliable: false,
  hasPartitions: false,
  kills: 'none',
  isolatesLeader: false,
} as const;
const five = { ...calm, servers: 5, clients: 5 } as const;

export const doorSuite: readonly DoorTest[] = [
  { ...calm, name: 'DoorBasic', title: 'one client' },
  { ...calm, name: 'DoorIsolated', title: 'nothing is done without a majority', clients: 0, isolatesLeader: true },
  { ...five, name: 'DoorConcurrent', title: 'many clients' },
  { ...five, name: 'DoorUnreliable', title: 'unreliable net, many clients', isUnreliable: true },
  { ...five, name: 'DoorPartitions', title: 'partitions, many clients', hasPartitions: true },
  { ...five, name: 'DoorKills', title: 'kill -9 of one after the other, many clients', kills: 'one' },
  { ...five, name: 'DoorRestart', title: 'kill -9 of all, many clients', kills: 'all' },
  {
    ...five,
    name: 'DoorAll',
    title: 'unreliable net, partitions, kills, many clients',
    isUnreliable: true,
    hasPartitions: true,
    kills: 'one',
  },
];
