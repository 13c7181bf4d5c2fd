/** From flags, environment and config file to checked options. */
import { readFile } from 'node:fs/promises';
import { debugTopics, minFlightBytes } from '@quorate/runtime';
import { ConfigError } from './config-error.ts';
import { environmentName, serverFlags } from './flags.ts';
import type { InitialMember, ServerOptions } from './options.ts';
import { type RawSettings, Settings } from './settings.ts';
import { type CoreTuning, readTuning } from './tuning.ts';
import { isWildcard, parseUrls, socketAddress } from './urls.ts';

export interface LoadedConfig {
  readonly options: ServerOptions;
  /** What an operator should know about the settings: accepted without effect, not recognised. One sentence each. */
  readonly notes: readonly string[];
}

/** Flags before environment before config file before defaults. Throws `ConfigError`. */
export async function loadConfig(flags: RawSettings, environment: RawSettings = process.env): Promise<LoadedConfig> {
  const path = flags['config-file'] ?? environment[environmentName('config-file')] ?? '';
  const file = path === '' ? {} : await readConfigFile(path);
  const settings = new Settings({ flags, environment, file });
  return { options: optionsOf(settings), notes: notesOf(settings, environment) };
}

async function readConfigFile(path: string): Promise<RawSettings> {
  let content: unknown;
  try {
    const text = await readFile(path, 'utf8');
    const { parse } = await import('yaml');
    content = parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('config-file', 'flag', `--config-file: ${path} cannot be read: ${reason}`, { cause });
  }
  if (content === null) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new ConfigError('config-file', 'flag', `--config-file: ${path} must hold settings, one "name: value" a line`);
  }
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, plainValue(path, name, value)]));
}

function plainValue(path: string, name: string, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(',');
  throw new ConfigError(name, 'config file', `${name} in ${path} must be a text, a number, true or false`);
}

function optionsOf(settings: Settings): ServerOptions {
  const name = settings.text(
    'name',
    /^[^,=\s]{1,256}$/,
    'a name of 1 to 256 characters without spaces, commas and "="',
  );
  const listenPeerUrls = settings.requiredUrls('listen-peer-urls');
  const listenClientUrls = settings.requiredUrls('listen-client-urls');
  const initialAdvertisePeerUrls = advertised(settings, 'initial-advertise-peer-urls', 'listen-peer-urls');
  const heartbeatInterval = settings.whole('heartbeat-interval', 1, 10_000, 'milliseconds');
  const electionTimeout = settings.whole('election-timeout', 5, 50_000, 'milliseconds');
  if (electionTimeout < 5 * heartbeatInterval) {
    throw settings.fault(
      'election-timeout',
      `${electionTimeout} ms is less than five heartbeats of ${heartbeatInterval} ms; give at least ${5 * heartbeatInterval}`,
    );
  }
  return {
    name,
    dataDir: settings.find('data-dir')?.value ?? `${name}.quorate`,
    listenPeerUrls,
    listenClientUrls,
    initialAdvertisePeerUrls,
    advertiseClientUrls: advertised(settings, 'advertise-client-urls', 'listen-client-urls'),
    initialCluster: initialCluster(settings, name, initialAdvertisePeerUrls),
    initialClusterToken: settings.text('initial-cluster-token', /^.{1,1024}$/, 'a text of 1 to 1024 characters'),
    initialClusterState: settings.choice('initial-cluster-state', ['new', 'existing']),
    join: joinAddresses(settings),
    heartbeatInterval,
    electionTimeout,
    priority: settings.whole('priority', 0, 1000, 'shares'),
    preVote: settings.boolean('pre-vote'),
    leaseReads: leaseReads(settings),
    maxClockDrift: settings.whole('max-clock-drift', 0, 900_000, 'parts in a million'),
    tune: tuning(settings),
    maxRequestBytes: settings.whole('max-request-bytes', 1024, 64 * 1024 * 1024, 'bytes'),
    maxTxnOps: settings.whole('max-txn-ops', 1, 100_000, 'operations'),
    maxConcurrentStreams: settings.whole('max-concurrent-streams', 1, 1_000_000, 'calls'),
    logLevel: settings.choice('log-level', ['debug', 'info', 'warn', 'error']),
    logFormat: settings.choice('log-format', ['auto', 'text', 'json']),
    debug: settings.choices('debug', debugTopics),
    enableFaultInjection: settings.boolean('enable-fault-injection'),
    flightRecorder: settings.boolean('flight-recorder'),
    flightRecorderBytes: settings.whole('flight-recorder-bytes', minFlightBytes, 2 ** 40, 'bytes'),
    redactValues: settings.boolean('redact-values'),
  };
}

function tuning(settings: Settings): CoreTuning {
  const read = readTuning(settings.find('tune')?.value ?? '');
  if ('fault' in read) throw settings.fault('tune', read.fault);
  return read.tuning;
}

function leaseReads(settings: Settings): boolean {
  const isOn = settings.boolean('lease-reads');
  if (!isOn || settings.boolean('pre-vote')) return isOn;
  throw settings.fault(
    'lease-reads',
    'a lease rests on the protection of leaders, which --pre-vote=false turns off; leave it on',
  );
}

function advertised(
  settings: Settings,
  name: 'initial-advertise-peer-urls' | 'advertise-client-urls',
  listening: 'listen-peer-urls' | 'listen-client-urls',
): readonly string[] {
  const given = settings.urls(name);
  if (given !== null) return given;
  const listen = settings.requiredUrls(listening);
  const wildcard = listen.find(isWildcard);
  if (wildcard === undefined) return listen;
  throw new ConfigError(
    name,
    'default',
    `--${name} is needed: --${listening} has ${wildcard}, which nobody can connect to from elsewhere`,
  );
}

function initialCluster(settings: Settings, name: string, peerURLs: readonly string[]): readonly InitialMember[] {
  const given = settings.find('initial-cluster');
  if (given === null) return [{ name, peerURLs }];
  const members = new Map<string, string[]>();
  for (const pair of given.value.split(',')) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw settings.fault('initial-cluster', `"${pair}" is not NAME=http://HOST:PORT`);
    const urls = parseUrls(pair.slice(equals + 1));
    if ('fault' in urls) throw settings.fault('initial-cluster', urls.fault);
    const member = pair.slice(0, equals).trim();
    members.set(member, [...(members.get(member) ?? []), ...urls]);
  }
  checkOwnEntry(settings, members, name, peerURLs);
  checkDistinct(settings, members);
  return [...members].map(([member, urls]) => ({ name: member, peerURLs: urls }));
}

/** With or without the scheme: whoever copies an address from a member list has it. */
function joinAddresses(settings: Settings): readonly string[] {
  const given = settings.find('join')?.value ?? '';
  if (given === '') return [];
  return given.split(',').map((address) => {
    const url = address.includes('://') ? address.trim() : `http://${address.trim()}`;
    const parsed = parseUrls(url);
    if ('fault' in parsed) throw settings.fault('join', parsed.fault);
    return socketAddress(url);
  });
}

function checkOwnEntry(
  settings: Settings,
  members: ReadonlyMap<string, readonly string[]>,
  name: string,
  peerURLs: readonly string[],
): void {
  const own = members.get(name);
  if (own === undefined) {
    const names = [...members.keys()].join(', ');
    throw settings.fault('initial-cluster', `it names ${names}, but not this server: --name is "${name}"`);
  }
  const [listed, advertised] = [own, peerURLs].map((urls) => urls.toSorted().join(','));
  if (listed === advertised) return;
  throw settings.fault(
    'initial-cluster',
    `it has ${name}=${listed}, but --initial-advertise-peer-urls is ${advertised}; make them the same`,
  );
}

function checkDistinct(settings: Settings, members: ReadonlyMap<string, readonly string[]>): void {
  const seen = new Map<string, string>();
  for (const [member, urls] of members) {
    for (const url of urls) {
      const other = seen.get(url);
      if (other !== undefined) throw settings.fault('initial-cluster', `${other} and ${member} share ${url}`);
      seen.set(url, member);
    }
  }
}

function notesOf(settings: Settings, environment: RawSettings): readonly string[] {
  const notes: string[] = [];
  const quota = settings.whole('quota-backend-bytes', 0, Number.MAX_SAFE_INTEGER, 'bytes');
  if (quota !== 0) notes.push('--quota-backend-bytes is not enforced yet; watch the memory of the process');
  settings.whole('snapshot-count', 1, Number.MAX_SAFE_INTEGER, 'entries');
  if (settings.boolean('redact-values') && !settings.boolean('flight-recorder')) {
    notes.push('--redact-values has no effect without --flight-recorder');
  }
  if (settings.find('snapshot-count')?.source !== 'default') {
    notes.push('--snapshot-count has no effect: snapshots are taken when the log has outgrown the last one in bytes');
  }
  const known = new Set(serverFlags.map((flag) => environmentName(flag.name)));
  for (const name of Object.keys(environment)) {
    if (name.startsWith('QUORATE_') && !known.has(name)) notes.push(`The environment variable ${name} is not known`);
  }
  return notes;
}
