/** Every setting of `quorate serve`, once: the command's flags, environment and config file are all read off this table. */

export interface FlagDescription {
  /** As after the two dashes, in the environment (QUORATE_, upper case, underscores) and in the config file. */
  readonly name: string;
  /** What stands for the value in help; null for a switch. */
  readonly value: string | null;
  /** As one would write it; null if there is none or it depends on other settings (`help` says how). */
  readonly default: string | null;
  readonly help: string;
}

const table = [
  { name: 'name', value: 'NAME', default: 'default', help: 'This server’s name, as in --initial-cluster' },
  {
    name: 'data-dir',
    value: 'DIR',
    default: null,
    help: 'Where log and snapshots live; NAME.quorate in the working directory if not given',
  },
  {
    name: 'listen-peer-urls',
    value: 'URLS',
    default: 'http://localhost:2380',
    help: 'Addresses for other servers to connect to, separated by commas',
  },
  {
    name: 'listen-client-urls',
    value: 'URLS',
    default: 'http://localhost:2379',
    help: 'Addresses for clients to connect to, separated by commas',
  },
  {
    name: 'initial-advertise-peer-urls',
    value: 'URLS',
    default: null,
    help: 'This server’s peer addresses as the others know them; those of --listen-peer-urls if not given',
  },
  {
    name: 'advertise-client-urls',
    value: 'URLS',
    default: null,
    help: 'Client addresses that the member list shows; those of --listen-client-urls if not given',
  },
  {
    name: 'initial-cluster',
    value: 'NAME=URL,…',
    default: null,
    help: 'All founding servers with their peer addresses; this server alone if not given',
  },
  {
    name: 'initial-cluster-token',
    value: 'TOKEN',
    default: 'etcd-cluster',
    help: 'Sets clusters with the same addresses apart',
  },
  {
    name: 'initial-cluster-state',
    value: 'STATE',
    default: 'new',
    help: 'new: found the cluster; existing: go on as the data directory says, whatever the flags above would found',
  },
  {
    name: 'join',
    value: 'HOST:PORT',
    default: '',
    help: 'Asks the cluster whose members serve clients there to let this server in: as a learner, then with a vote',
  },
  { name: 'heartbeat-interval', value: 'MS', default: '100', help: 'A leader’s rhythm' },
  {
    name: 'election-timeout',
    value: 'MS',
    default: '1000',
    help: 'After 1.7 to 2 times this long without a leader a server stands for election. The same on all servers',
  },
  {
    name: 'priority',
    value: 'N',
    default: '1',
    help: 'Servers of higher priority are likely to lead: they wait for less long. 0: never stands for election by itself',
  },
  {
    name: 'pre-vote',
    value: 'BOOL',
    default: 'true',
    help: 'PreVote, CheckQuorum and voter stickiness together. Off only to study what happens then',
  },
  {
    name: 'lease-reads',
    value: 'BOOL',
    default: 'false',
    help: 'The leader answers reads without asking the others, trusting clocks as far as --max-clock-drift. The same on all servers',
  },
  {
    name: 'max-clock-drift',
    value: 'PPM',
    default: '10000',
    help: 'With --lease-reads: how far a server’s clock may run too fast or too slow, in parts in a million',
  },
  {
    name: 'tune',
    value: 'NAME=N,…',
    default: '',
    help: 'Options of the consensus core by their names and in their units (docs/limits.md), over what the flags above make of them. For experiments',
  },
  { name: 'max-request-bytes', value: 'BYTES', default: '1572864', help: 'The largest request' },
  { name: 'max-txn-ops', value: 'N', default: '128', help: 'Operations in one transaction' },
  { name: 'max-concurrent-streams', value: 'N', default: '10000', help: 'Calls open at once on one connection' },
  {
    name: 'snapshot-count',
    value: 'N',
    default: '100000',
    help: 'Accepted for etcd’s sake and without effect: snapshots are taken by the log’s size in bytes',
  },
  {
    name: 'quota-backend-bytes',
    value: 'BYTES',
    default: '0',
    help: 'Accepted for etcd’s sake and not enforced yet: memory is the limit',
  },
  { name: 'log-level', value: 'LEVEL', default: 'info', help: 'debug, info, warn or error' },
  {
    name: 'log-format',
    value: 'FORMAT',
    default: 'auto',
    help: 'text, json, or auto: text on a terminal, JSON lines otherwise',
  },
  {
    name: 'debug',
    value: 'TOPICS',
    default: '',
    help: 'Topics to print as they happen: votes, heartbeats, connections, reads, writes, state. Switchable while running',
  },
  {
    name: 'enable-fault-injection',
    value: null,
    default: 'false',
    help: 'Lets /debug/sleep, /debug/partition and /debug/slow hurt this server. Never in production',
  },
  {
    name: 'flight-recorder',
    value: null,
    default: 'false',
    help: 'Writes all that enters this server’s Raft into a ring of files in DIR/flight, to be replayed by quorate sim replay',
  },
  { name: 'flight-recorder-bytes', value: 'BYTES', default: '134217728', help: 'How much disk that ring may take' },
  {
    name: 'redact-values',
    value: null,
    default: 'false',
    help: 'The flight recorder leaves out what clients wrote: zeros of the same length and a checksum instead',
  },
  { name: 'config-file', value: 'FILE', default: '', help: 'YAML or JSON with the names above as keys' },
] as const satisfies readonly FlagDescription[];

export type FlagName = (typeof table)[number]['name'];

/** All flags of `quorate serve`, in the order in which help shows them. */
export const serverFlags: readonly (FlagDescription & { readonly name: FlagName })[] = table;

/** The environment variable of a flag. */
export function environmentName(flag: string): string {
  return `QUORATE_${flag.toUpperCase().replaceAll('-', '_')}`;
}
