/** Makes a host a place for servers: connects, looks at what is there, copies the build, starts the agent. Leaves nothing behind. */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { isIPv4 } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type AgentSettings, HOST_DIRECTORY_KIND } from '../agent/methods.ts';
import { eachLine } from '../agent/lines.ts';
import { EvaluationError } from '../errors.ts';
import type { PortRange } from '../harness/port-range.ts';
import { AgentClient } from './agent-client.ts';
import { AGENT_THERE } from './build.ts';
import type { HostName } from './host-name.ts';
import { HostPlace } from './host-place.ts';
import { openSession, quoted, type SshOptions, type SshSession } from './ssh.ts';

export interface HostSettings {
  readonly ssh: SshOptions;
  /** How Node.js is called there. */
  readonly node: string;
  /** Where the build and the servers' data stand there, in a directory of their own. */
  readonly directory: string;
  readonly ports: PortRange | null;
  /** Where the archive with the build is; asked for when a host turns out to be fit for it. */
  readonly archive: () => Promise<string>;
  readonly version: string;
  readonly signal: AbortSignal;
}

/** As `engines` in our package.json says. */
const LEAST_NODE = [20, 19] as const;
/** What the data of an experiment may need. */
const LEAST_FREE_MIB = 1024;
const READY = 'ready';
const READY_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 10_000;
const MAX_FACT_BYTES = 64 << 10;

export class Host {
  readonly place: HostPlace;
  readonly agent: AgentClient;
  /** What an earlier run had left there and is gone now. */
  readonly cleared: readonly string[];
  readonly #connection: SshSession;
  readonly #agentSession: SshSession;

  private constructor(
    place: HostPlace,
    agent: AgentClient,
    cleared: readonly string[],
    connection: SshSession,
    agentSession: SshSession,
  ) {
    this.place = place;
    this.agent = agent;
    this.cleared = cleared;
    this.#connection = connection;
    this.#agentSession = agentSession;
  }

  /** @throws EvaluationError `HostUnreachable` or `HostUnfit` */
  static async open(name: HostName, settings: HostSettings): Promise<Host> {
    const connection = openSession(name, lookAround(settings), 'first', settings.ssh);
    let agentSession: SshSession | null = null;
    try {
      const facts = await heard(name, connection, settings.signal);
      const root = checked(name, facts, settings);
      const address = addressOf(name, facts.get('connection') ?? '');
      await copy(name, root, settings);
      agentSession = openSession(name, callAgent(root, address, settings), 'further', settings.ssh);
      const agent = new AgentClient(name.text, agentSession);
      const { node, conditions, cleared } = await agent.ready.catch((cause: unknown) => {
        throw unfit(
          name,
          `does not start its agent (${agentSession?.complaint ?? ''})`,
          'Its last words say why.',
          cause,
        );
      });
      const place = new HostPlace({ name: name.text, address, root, node, conditions }, agent);
      void connection.ended.then(() => agent.lose(connection.complaint));
      return new Host(place, agent, cleared, connection, agentSession);
    } catch (error) {
      await over(agentSession);
      await over(connection);
      throw error;
    }
  }

  /** Ends what runs there and removes what was brought there. */
  async close(): Promise<void> {
    this.agent.close();
    await over(this.#agentSession);
    await over(this.#connection);
  }
}

/** Ends a session in order: what runs there hears that its input is over, and ends. */
async function over(session: SshSession | null): Promise<void> {
  if (session === null) return;
  session.input.end();
  const insist = setTimeout(() => session.kill(), CLOSE_TIMEOUT_MS);
  await session.ended;
  clearTimeout(insist);
}

/**
 * Says what there is, makes the directory, and waits until its input ends: then the directory goes, whatever else became of the connection.
 * The directory bears the number of this shell, which lives as long as the connection: others can tell that it is in use.
 */
function lookAround({ node, directory }: HostSettings): string {
  const token = randomBytes(4).toString('hex');
  return [
    `echo "connection $SSH_CONNECTION"`,
    `echo "node $(${quoted(node)} -p process.versions.node 2>/dev/null)"`,
    `echo "tar $(command -v tar)"`,
    `echo "free $(df -Pk ${quoted(directory)} 2>/dev/null | tail -n 1)"`,
    `d=${quoted(directory)}/${HOST_DIRECTORY_KIND}$$-${token}`,
    `trouble=$(mkdir -m 700 "$d" 2>&1) && echo "directory $d" || echo "trouble $trouble"`,
    `echo ${READY}`,
    `cat >/dev/null`,
    `rm -rf "$d"`,
  ].join('; ');
}

/** What the shell said of its host, by its first words. */
async function heard(
  name: HostName,
  connection: SshSession,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const limit = AbortSignal.timeout(READY_TIMEOUT_MS);
  const facts = new Map<string, string>();
  const isReady = new Promise<void>((resolve, reject) => {
    eachLine(connection.output, MAX_FACT_BYTES, (line) => {
      const [, word = '', rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? [];
      facts.set(word, rest);
      if (line === READY) resolve();
    });
    connection.output.on('error', (error) => reject(unreachable(name, error.message)));
    void connection.ended.then(() => reject(unreachable(name, connection.complaint)));
    limit.addEventListener('abort', () => reject(unreachable(name, `no shell within ${READY_TIMEOUT_MS / 1000} s`)));
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  signal.throwIfAborted();
  await isReady;
  return facts;
}

/** Returns the directory that was made there. */
function checked(name: HostName, facts: ReadonlyMap<string, string>, { node, directory }: HostSettings): string {
  const version = facts.get('node') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const floor = LEAST_NODE.join('.');
  if (version === '')
    throw unfit(
      name,
      `has no Node.js that a command over ssh finds as "${node}"`,
      `Install ${floor} or newer there, or say where it is with --hosts-node.`,
    );
  if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]))
    throw unfit(name, `has Node.js ${version}`, `At least ${floor} is needed; --hosts-node says which one is to run.`);
  if (facts.get('tar') === '') throw unfit(name, 'has no tar', 'Install it there.');
  const root = facts.get('directory');
  if (root === undefined)
    throw unfit(
      name,
      `lets no directory be made in ${directory} (${facts.get('trouble') ?? 'no word why'})`,
      'Name another with --hosts-dir.',
    );
  const freeMib = Math.floor(Number((facts.get('free') ?? '').split(/\s+/)[3]) / 1024);
  if (freeMib < LEAST_FREE_MIB)
    throw unfit(
      name,
      `has ${freeMib} MiB free in ${directory}`,
      `${LEAST_FREE_MIB} MiB are needed; make room, or name another directory with --hosts-dir.`,
    );
  return root;
}

/** Where servers listen: as it was said, or where ssh arrived (the third word of SSH_CONNECTION). */
function addressOf(name: HostName, connection: string): string {
  const address = name.address ?? connection.split(' ')[2] ?? '';
  if (isIPv4(address)) return address;
  const what =
    address === '' ? 'does not say at which address ssh arrives' : `is reached at ${address}, which is no IPv4 address`;
  throw unfit(name, what, `Name the address where its servers are to listen: ${name.text}=ADDRESS.`);
}

async function copy(name: HostName, root: string, { ssh, archive, signal }: HostSettings): Promise<void> {
  const file = await archive();
  signal.throwIfAborted();
  const session = openSession(name, `tar -xzf - -C ${quoted(root)}`, 'further', ssh);
  session.output.resume();
  try {
    await pipeline(createReadStream(file), session.input, { signal });
  } catch (error) {
    session.kill();
    signal.throwIfAborted();
    // The other side stopped reading: its exit code and its words say why.
    if (
      !(
        error instanceof Error &&
        'code' in error &&
        (error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
      )
    )
      throw error;
  }
  const code = await session.ended;
  if (code === 0) return;
  if (code === 255 || code === null) throw unreachable(name, session.complaint);
  throw unfit(
    name,
    `does not take the build (${session.firstComplaint})`,
    'Make room, or name another directory with --hosts-dir.',
  );
}

function callAgent(root: string, address: string, { node, ports, version }: HostSettings): string {
  const settings: AgentSettings = { root, address, ports, version };
  return ['exec', quoted(node), quoted(`${root}/${AGENT_THERE}`), quoted(JSON.stringify(settings))].join(' ');
}

function unreachable(name: HostName, why: string): EvaluationError {
  const message =
    `${name.text} cannot be reached over ssh${why === '' ? '' : `: ${why}`}. It must let you in by key, without asking anything: ` +
    `try "ssh -o BatchMode=yes ${name.port === null ? '' : `-p ${name.port} `}${name.target} true".`;
  return new EvaluationError('HostUnreachable', message);
}

function unfit(name: HostName, what: string, remedy: string, cause?: unknown): EvaluationError {
  return new EvaluationError('HostUnfit', `${name.text} ${what}. ${remedy}`, { cause });
}
