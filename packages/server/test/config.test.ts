import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, environmentName, loadConfig, serverFlags } from '@quorate/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('Configuration', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'quorate-config-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  async function file(content: string): Promise<string> {
    const path = join(directory, `config-${Math.random()}.yaml`);
    await writeFile(path, content);
    return path;
  }

  async function faultOf(flags: Record<string, string>, environment = {}): Promise<ConfigError> {
    const error: unknown = await loadConfig(flags, environment).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }

  it('takes options of the core by name, for experiments', async () => {
    const tune = 'electionTimeoutMin=1000, electionTimeoutMax=5000,heartbeatInterval=300,maxElectionBackoff=1';
    const { options } = await loadConfig({ tune }, {});
    expect(options.tune).toEqual({
      electionTimeoutMin: 1000,
      electionTimeoutMax: 5000,
      heartbeatInterval: 300,
      maxElectionBackoff: 1,
    });
  });

  it.each([
    ['election=5', '"election=5" is not NAME=N with one of electionTimeoutMin, '],
    ['goneSpreadMin=-1', 'is not NAME=N'],
    ['goneSpreadMin=1,goneSpreadMin=2', 'goneSpreadMin stands there twice'],
    ['maxInflightMessages=0', 'maxInflightMessages is 0; give at least 1'],
    ['electionTimeoutMin=1000', 'so give electionTimeoutMax as well'],
    ['heartbeatInterval=1000', 'so give electionTimeoutMin as well'],
    ['electionTimeoutMin=9,electionTimeoutMax=8,heartbeatInterval=1', 'electionTimeoutMax is below'],
    ['electionTimeoutMin=9,electionTimeoutMax=9,heartbeatInterval=9', 'heartbeatInterval must be below'],
    ['maxElectionBackoff=1001', 'from 1 to 1000'],
    ['goneSpreadMin=40000', 'goneSpreadMin exceeds goneSpreadMax'],
  ])('refuses --tune %s', async (tune, fault) => {
    const error = await faultOf({ tune });
    expect(error.message).toContain('--tune: ');
    expect(error.message).toContain(fault);
  });

  it('has etcd’s defaults', async () => {
    const { options, notes } = await loadConfig({}, {});
    expect(options).toEqual({
      name: 'default',
      dataDir: 'default.quorate',
      listenPeerUrls: ['http://localhost:2380'],
      listenClientUrls: ['http://localhost:2379'],
      initialAdvertisePeerUrls: ['http://localhost:2380'],
      advertiseClientUrls: ['http://localhost:2379'],
      initialCluster: [{ name: 'default', peerURLs: ['http://localhost:2380'] }],
      initialClusterToken: 'etcd-cluster',
      initialClusterState: 'new',
      join: [],
      heartbeatInterval: 100,
      electionTimeout: 1000,
      preVote: true,
      leaseReads: false,
      priority: 1,
      maxClockDrift: 10_000,
      tune: {},
      maxRequestBytes: 1_572_864,
      maxTxnOps: 128,
      maxConcurrentStreams: 10_000,
      logLevel: 'info',
      logFormat: 'auto',
      debug: [],
      enableFaultInjection: false,
      flightRecorder: false,
      flightRecorderBytes: 128 * 1024 * 1024,
      redactValues: false,
    });
    expect(notes).toEqual([]);
  });

  it('reads a founding server’s settings as etcd’s manuals write them', async () => {
    const { options } = await loadConfig(
      {
        name: 'infra1',
        'data-dir': '/var/lib/x',
        'listen-client-urls': 'http://10.0.1.11:2379,http://127.0.0.1:2379',
        'advertise-client-urls': 'http://10.0.1.11:2379',
        'listen-peer-urls': 'http://10.0.1.11:2380',
        'initial-advertise-peer-urls': 'http://10.0.1.11:2380',
        'initial-cluster':
          'infra0=http://10.0.1.10:2380,infra1=http://10.0.1.11:2380,infra2=http://10.0.1.12:2380,infra2=http://[::1]:9',
      },
      {},
    );
    expect(options.listenClientUrls).toEqual(['http://10.0.1.11:2379', 'http://127.0.0.1:2379']);
    expect(options.initialCluster).toEqual([
      { name: 'infra0', peerURLs: ['http://10.0.1.10:2380'] },
      { name: 'infra1', peerURLs: ['http://10.0.1.11:2380'] },
      { name: 'infra2', peerURLs: ['http://10.0.1.12:2380', 'http://[::1]:9'] },
    ]);
  });

  it('lets a flag beat the environment, the environment the file, the file the default', async () => {
    const path = await file('name: from-file\nheartbeat-interval: 20\nelection-timeout: 200\npre-vote: false\n');
    const flags = { 'config-file': path, name: 'from-flag' };
    const environment = { QUORATE_NAME: 'from-environment', QUORATE_HEARTBEAT_INTERVAL: '30' };
    const { options } = await loadConfig(flags, environment);
    expect(options).toMatchObject({
      name: 'from-flag',
      heartbeatInterval: 30,
      electionTimeout: 200,
      preVote: false,
      logLevel: 'info',
    });
  });

  it('takes the config file’s own place from the environment, and JSON for YAML', async () => {
    const path = await file('{ "name": "json", "listen-client-urls": ["http://127.0.0.1:1", "http://127.0.0.1:2"] }');
    const { options } = await loadConfig({}, { QUORATE_CONFIG_FILE: path });
    expect(options.name).toBe('json');
    expect(options.listenClientUrls).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:2']);
  });

  it('says which settings are without effect and which are not known', async () => {
    const { notes } = await loadConfig({ 'snapshot-count': '5', 'quota-backend-bytes': '1' }, { QUORATE_NAEM: 'x' });
    expect(notes).toHaveLength(3);
    expect(notes.join('\n')).toMatch(/--quota-backend-bytes.*\n.*--snapshot-count.*\n.*QUORATE_NAEM/);
  });

  it.each([
    ['name', 'a,b', '"a,b" is not a name'],
    ['listen-client-urls', 'localhost:2379', '"localhost:2379" is not an address; write http://HOST:PORT'],
    ['listen-client-urls', 'http://localhost', 'lacks host or port'],
    ['listen-client-urls', 'http://localhost:99999', 'ports end at 65535'],
    ['listen-client-urls', 'https://localhost:2379', 'asks for TLS'],
    ['listen-peer-urls', 'http://localhost:2380/raft', 'has a path'],
    ['listen-peer-urls', 'unix://localhost:2380', 'has scheme unix'],
    ['heartbeat-interval', '100ms', '"100ms" is not a whole number of milliseconds from 1 to 10000'],
    ['election-timeout', '300', '300 ms is less than five heartbeats of 100 ms; give at least 500'],
    ['election-timeout', '60000', 'from 5 to 50000'],
    ['initial-cluster-state', 'newish', '"newish" is not one of new, existing'],
    ['initial-cluster', 'http://127.0.0.1:2380', 'is not NAME=http://HOST:PORT'],
    ['initial-cluster', 'other=http://localhost:2380', 'it names other, but not this server: --name is "default"'],
    ['initial-cluster', 'default=http://localhost:9', '--initial-advertise-peer-urls is http://localhost:2380'],
    [
      'initial-cluster',
      'default=http://localhost:2380,b=http://localhost:2380',
      'default and b share http://localhost:2380',
    ],
    ['max-request-bytes', '-1', 'from 1024 to 67108864'],
    ['pre-vote', 'yes', '"yes" is not one of true, false'],
    ['max-clock-drift', '1000000', 'from 0 to 900000'],
    ['priority', '-1', 'from 0 to 1000'],
    ['debug', 'votes,rubbish', '"rubbish" is not one of votes, heartbeats'],
    ['log-format', 'xml', '"xml" is not one of auto, text, json'],
  ])('refuses --%s %s', async (name, value, expected) => {
    const error = await faultOf({ [name]: value });
    expect(error.code).toBe('InvalidConfiguration');
    expect(error.setting).toBe(name);
    expect(error.message).toContain(`--${name}: `);
    expect(error.message).toContain(expected);
  });

  it('refuses lease reads without the protection that they rest on', async () => {
    expect((await loadConfig({ 'lease-reads': 'true' }, {})).options.leaseReads).toBe(true);
    const error = await faultOf({ 'lease-reads': 'true', 'pre-vote': 'false' });
    expect(error.setting).toBe('lease-reads');
    expect(error.message).toContain('--pre-vote=false turns off');
  });

  it('names the source of a wrong value as the operator knows it', async () => {
    const fromEnvironment = await faultOf({}, { QUORATE_ELECTION_TIMEOUT: 'soon' });
    expect(fromEnvironment.message).toMatch(/^QUORATE_ELECTION_TIMEOUT: "soon" is not/);
    const fromFile = await faultOf({ 'config-file': await file('election-timeout: soon') });
    expect(fromFile.message).toMatch(/^election-timeout in the config file: "soon" is not/);
  });

  it('refuses an unknown name, with the nearest one it knows', async () => {
    expect((await faultOf({ 'listen-client-url': 'x' })).message).toContain('did you mean listen-client-urls?');
    expect((await faultOf({ 'config-file': await file('colour: red') })).message).toContain(
      '"colour" is not a setting',
    );
  });

  it('refuses a config file that is absent, broken or of another shape', async () => {
    expect((await faultOf({ 'config-file': join(directory, 'absent') })).message).toContain('cannot be read: ENOENT');
    expect((await faultOf({ 'config-file': await file('a: [') })).message).toContain('cannot be read');
    expect((await faultOf({ 'config-file': await file('- a\n- b') })).message).toContain('must hold settings');
    expect((await faultOf({ 'config-file': await file('name: { a: b }') })).message).toContain('must be a text');
  });

  it('wants an address to advertise when it listens on every interface', async () => {
    const error = await faultOf({ 'listen-client-urls': 'http://0.0.0.0:2379' });
    expect(error.message).toMatch(
      /^--advertise-client-urls is needed: --listen-client-urls has http:\/\/0\.0\.0\.0:2379/,
    );
  });

  it('stands in the README, flag by flag', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const rows = serverFlags.map(({ name, value, default: fallback, help }) => {
      const flag = `--${name}${value === null ? '' : ` ${value}`}`;
      return `| \`${flag}\` | ${fallback === null || fallback === '' ? '' : `\`${fallback}\``} | ${help} |`;
    });
    expect(readme).toContain(rows.join('\n'));
  });

  it('derives environment names as etcd does', () => {
    expect(environmentName('listen-client-urls')).toBe('QUORATE_LISTEN_CLIENT_URLS');
    expect(new Set(serverFlags.map((flag) => flag.name)).size).toBe(serverFlags.length);
  });
});
