/** Binds a RaftNode, the key-value service and the sockets into a process. Decides nothing. */
import { join } from 'node:path';
import { defaultOptions } from '@quorate/raft';
import {
  KvService,
  KvStateMachine,
  NodeConsensus,
  type Origin,
  ReplicatedStore,
  serviceEnvironment,
} from '@quorate/kv';
import { Member } from '@quorate/kv/api';
import {
  continueApply,
  defaultTransportLimits,
  type Environment,
  FLIGHT_DIRECTORY,
  FlightRecorder,
  type LogLevel,
  RaftError,
  RaftNode,
  type RaftNodeOptions,
} from '@quorate/runtime';
import { nodeEnvironment } from '@quorate/runtime/node';
import { ClientPort } from './client-port.ts';
import { ConfigError } from './config/config-error.ts';
import type { ServerOptions } from './config/options.ts';
import { listenAddress, socketAddress } from './config/urls.ts';
import { explanationPage } from './explain/explain.ts';
import { injectFaults } from './faults/fault-injection.ts';
import { createHttp1Server, defaultHttpLimits } from './http/http-server.ts';
import { createPages, type Faults } from './http/pages.ts';
import type { StaticFiles } from './http/static-files.ts';
import { type FoundingMember, idText } from './identity.ts';
import { DebugTopics } from './log/debug-topics.ts';
import { createLineSink, type LineSink } from './log/line-sink.ts';
import { createLogger } from './log/logger.ts';
import { raftPage } from './raft/debug-raft.ts';
import { electionWindow } from './raft/election-window.ts';
import { MembershipChanger } from './membership/changer.ts';
import { type Invitation, type OwnIdentity, ownIdentity } from './own-identity.ts';
import { contextOf, peerAddress } from './raft/member-context.ts';
import { publishMember } from './raft/publish.ts';
import { createHttp2Engine } from './rpc/http2-engine.ts';
import { type RunningServer, StartError } from './running-server.ts';
import { createClusterService } from './services/cluster.ts';
import { joinServices } from './services/join.ts';
import { createMembershipService } from './services/membership.ts';
import { createMaintenanceService } from './services/maintenance.ts';
import { ServerShutdown } from './shutdown.ts';
import { quorateVersion } from './version.ts';

export interface StartOptions {
  /** Where log lines go; standard error if not given. */
  readonly sink?: LineSink;
  /** What an operator should know about the settings, logged first. */
  readonly notes?: readonly string[];
  /** Gives up starting, e.g. while a fresh server waits for its peers. */
  readonly signal?: AbortSignal;
  /** What a running cluster said to a server that asked to be let in. */
  readonly invitation?: Invitation;
  /** A page that its client port hands out besides its own. */
  readonly page?: StaticFiles;
}

/** A health check's patience. Milliseconds. */
const healthTimeoutMs = 3_000;
/** What a request may need around its payload: etcd's figure. Bytes. */
const requestOverheadBytes = 512 * 1024;
/** An envelope's and an entry's share of a command, generously. Bytes. */
const commandOverheadBytes = 4 * 1024;

/**
 * Starts a server. Resolves when it takes part in its cluster and listens to clients; a fresh server of a new cluster waits for
 * its peers before that. Rejects with a ConfigError, a RaftError (what kept it from starting) or a StartError.
 */
export async function startServer(options: ServerOptions, start: StartOptions = {}): Promise<RunningServer> {
  const sink = start.sink ?? createLineSink(2);
  try {
    checkPeerAddress(options);
    const identity = await ownIdentity(options, start.invitation ?? null);
    return await new Assembly(options, start, sink, identity).run();
  } finally {
    // Whoever is told of a failure may end the process at once.
    await sink.flush();
  }
}

class Assembly {
  readonly #options: ServerOptions;
  readonly #start: StartOptions;
  readonly #sink: LineSink;
  readonly #environment: Environment;
  readonly #faults: Faults | null;
  readonly #topics: DebugTopics;
  readonly #identity: OwnIdentity;
  readonly #origin: Origin;
  readonly #machine: KvStateMachine;
  readonly #started: number;
  /** A request's longest time, as etcd reckons it: five seconds and two election timeouts. Microseconds. */
  readonly #requestTimeout: number;

  constructor(options: ServerOptions, start: StartOptions, sink: LineSink, identity: OwnIdentity) {
    this.#options = options;
    this.#start = start;
    this.#sink = sink;
    this.#identity = identity;
    const { environment, faults } = this.#createEnvironment();
    this.#environment = environment;
    this.#faults = faults;
    this.#started = environment.clock.now();
    this.#topics = new DebugTopics(options.name, this.#format, this.#sink, () => environment.clock.now());
    this.#topics.set(options.debug);
    this.#origin = { member: this.#identity.own.id, incarnation: drawId(environment) };
    this.#machine = new KvStateMachine({ origin: this.#origin });
    this.#requestTimeout = 5_000_000 + 2 * options.electionTimeout * 1000;
  }

  get #format(): 'text' | 'json' {
    const { logFormat } = this.#options;
    if (logFormat !== 'auto') return logFormat;
    return process.stderr.isTTY ? 'text' : 'json';
  }

  #createEnvironment(): { readonly environment: Environment; readonly faults: Faults | null } {
    const { logLevel, dataDir, enableFaultInjection } = this.#options;
    const level: LogLevel = logLevel;
    const logger = createLogger({ level, format: this.#format, sink: this.#sink, wallTime: () => Date.now() });
    const environment = nodeEnvironment({ dataDirectory: dataDir, logger });
    if (!enableFaultInjection) return { environment, faults: null };
    logger.log('warn', 'Fault injection is enabled: anyone on this machine can hurt this server');
    const others = this.#identity.members.filter((member) => member !== this.#identity.own);
    return injectFaults(
      environment,
      others.map((member) => ({ id: idText(member.id), name: member.name, address: firstAddress(member) })),
    );
  }

  async run(): Promise<RunningServer> {
    const { logger } = this.#environment;
    for (const note of this.#start.notes ?? []) logger.log('warn', note);
    logger.log('info', 'Starting', {
      version: quorateVersion,
      name: this.#options.name,
      member: idText(this.#identity.own.id),
      cluster: idText(this.#identity.cluster),
      dataDir: this.#options.dataDir,
    });
    const { signal } = this.#start;
    try {
      const node = await RaftNode.open({ ...this.#nodeOptions(), ...(signal === undefined ? {} : { signal }) });
      return await this.#serve(node);
    } catch (error) {
      if (!(error instanceof RaftError) || error.code !== 'WrongCluster') throw error;
      const hint = 'If this server has joined its cluster, or was recovered, add --initial-cluster-state existing.';
      throw new RaftError('WrongCluster', `${error.message} ${hint}`, { cause: error });
    }
  }

  #nodeOptions(): RaftNodeOptions {
    const options = this.#options;
    const maxCommandBytes = Math.max(defaultOptions.maxCommandBytes, options.maxRequestBytes + commandOverheadBytes);
    const [listen = ''] = options.listenPeerUrls;
    const electionWait = electionWindow(options.electionTimeout);
    return {
      environment: this.#environment,
      id: idText(this.#identity.own.id),
      listen: socketAddress(listen),
      initialCluster: this.#identity.members.map((member) => ({
        id: idText(member.id),
        address: firstAddress(member),
        context: contextOf(member),
      })),
      initialClusterState: this.#identity.state,
      clusterId: idText(this.#identity.cluster),
      peerAddress,
      stateMachine: new ReplicatedStore(this.#machine, continueApply),
      raft: {
        electionTimeoutMin: electionWait.min * 1000,
        electionTimeoutMax: electionWait.max * 1000,
        heartbeatInterval: options.heartbeatInterval * 1000,
        priority: options.priority,
        stableLeadership: options.preVote,
        leaseReads: options.leaseReads,
        maxClockDrift: options.maxClockDrift,
        maxCommandBytes,
        ...options.tune,
      },
      transport: { maxFrameBytes: Math.max(defaultTransportLimits.maxFrameBytes, 2 * maxCommandBytes) },
      // The service answers its callers first; the node's own limit is for what it forgot.
      limits: {
        requestTimeout: this.#requestTimeout + 1_000_000,
        leaderLossGrace: options.electionTimeout * 500,
        closeTimeout: 400_000,
      },
      observer: this.#topics,
      ...(options.flightRecorder ? { watcher: this.#createFlightRecorder() } : {}),
    };
  }

  #createFlightRecorder(): FlightRecorder {
    const { flightRecorderBytes, redactValues } = this.#options;
    return new FlightRecorder({
      environment: this.#environment,
      cluster: idText(this.#identity.cluster),
      codeVersion: quorateVersion,
      createdBy: `quorate serve, server ${this.#options.name}`,
      maxBytes: flightRecorderBytes,
      redactValues,
    });
  }

  async #serve(node: RaftNode): Promise<RunningServer> {
    const { clock, logger } = this.#environment;
    const consensus = new NodeConsensus(node);
    const kv = this.#createKvService(consensus);
    const linearize = kv.linearize.bind(kv);
    const changer = new MembershipChanger(node, this.#environment, linearize, this.#requestTimeout);
    const cluster = {
      node,
      published: (id: bigint) => this.#machine.members.get(id),
      unixSeconds: () => Math.floor(Date.now() / 1000),
      now: () => clock.now(),
      silence: electionWindow(this.#options.electionTimeout).min * 1000,
    };
    const engine = createHttp2Engine({
      service: joinServices([
        kv,
        createClusterService(kv, changer, cluster),
        createMembershipService(kv, changer, cluster),
        createMaintenanceService(kv, consensus, {
          storeBytes: () => storeBytes(this.#machine),
          isLearner: () => node.configuration.learners.includes(node.id),
          node,
        }),
      ]),
      now: () => clock.now(),
      logger,
      limits: {
        maxMessageBytes: this.#options.maxRequestBytes + requestOverheadBytes,
        maxConcurrentStreams: this.#options.maxConcurrentStreams,
      },
    });
    const http = createHttp1Server(
      createPages(this.#pages(node, kv)),
      logger,
      defaultHttpLimits,
      this.#start.page ?? null,
    );
    const port = new ClientPort({
      engine,
      http,
      logger,
      onConnection: (what, remote) => {
        if (this.#topics.on.connections) this.#topics.line('connections', `client ${remote}: ${what}`);
      },
    });
    const shutdown = new ServerShutdown({ node, kv, engine, http, port, sink: this.#sink, logger });
    this.#leaveWhenRemoved(node, shutdown);
    const clientAddresses = await this.#listen(port, shutdown);
    const ready = this.#publish(kv, shutdown, clientAddresses);
    return {
      memberId: this.#identity.own.id,
      clusterId: this.#identity.cluster,
      clientAddresses,
      node,
      topics: this.#topics,
      logger: this.#environment.logger,
      ready,
      stopped: shutdown.stopped,
      close: async () => shutdown.close(),
    };
  }

  /** Whoever is no member any more serves nobody. To come back it is added anew, with an empty directory. */
  #leaveWhenRemoved(node: RaftNode, shutdown: ServerShutdown): void {
    node.on('removed', ({ reason }) => {
      const next = `To let it in again, empty its data directory and start it with --join.`;
      this.#environment.logger.log('warn', `This server has left its cluster and stops: ${reason} ${next}`);
      void shutdown.leave();
    });
  }

  #createKvService(consensus: NodeConsensus): KvService {
    return new KvService(consensus, serviceEnvironment(this.#environment), this.#machine, {
      clusterId: this.#identity.cluster,
      origin: this.#origin,
      // The origin was drawn for this very run, so no earlier one has used any number.
      sequenceFloor: 0,
      maxRequestBytes: this.#options.maxRequestBytes,
      maxTxnOperations: this.#options.maxTxnOps,
      requestTimeout: this.#requestTimeout,
    });
  }

  #pages(node: RaftNode, kv: KvService): Parameters<typeof createPages>[0] {
    const { clock } = this.#environment;
    return {
      health: async (serializable) => {
        const status = node.status();
        if (status.foreignIncarnation) return 'this data directory is not the one that the cluster counts on';
        if (serializable) return null;
        if (status.leader === null) return 'RAFT NO LEADER';
        return await new Promise((resolve) => {
          kv.linearize(clock.now() + healthTimeoutMs * 1000, (failure) => {
            resolve(failure === null ? null : `QGET ERROR:${failure.message}`);
          });
        });
      },
      raft: () =>
        raftPage({
          options: this.#options,
          node,
          machine: this.#machine,
          now: () => clock.now(),
          started: this.#started,
        }),
      explain: () =>
        explanationPage(this.#options.name, {
          status: node.status(),
          now: clock.now(),
          silence: electionWindow(this.#options.electionTimeout).min * 1000,
        }),
      flight: this.#options.flightRecorder
        ? { directory: join(this.#options.dataDir, FLIGHT_DIRECTORY), isRedacted: this.#options.redactValues }
        : null,
      debugTopics: () => this.#topics.topics,
      setDebugTopics: (topics) => this.#topics.set(topics),
      faults: this.#faults,
    };
  }

  async #listen(port: ClientPort, shutdown: ServerShutdown): Promise<readonly string[]> {
    const addresses: string[] = [];
    for (const url of this.#options.listenClientUrls) {
      try {
        const { host, port: number } = await port.listen(listenAddress(url));
        addresses.push(host.includes(':') ? `[${host}]:${number}` : `${host}:${number}`);
      } catch (cause) {
        await shutdown.close();
        const reason = cause instanceof Error ? cause.message : String(cause);
        const message = `Cannot listen for clients on ${url}: ${reason}. Free the address or set --listen-client-urls.`;
        throw new StartError(message, { cause });
      }
    }
    return addresses;
  }

  async #publish(kv: KvService, shutdown: ServerShutdown, clientAddresses: readonly string[]): Promise<void> {
    const { name, peerURLs, id } = this.#identity.own;
    const clientURLs = [...this.#options.advertiseClientUrls];
    const member = Member.create({ ID: id, name, peerURLs: [...peerURLs], clientURLs });
    await new Promise<void>((resolve) => {
      const stop = publishMember(kv, this.#environment, member, this.#requestTimeout, resolve);
      shutdown.first(stop);
    });
    this.#environment.logger.log('info', 'ready to serve client requests', { name, addresses: clientAddresses });
  }
}

function checkPeerAddress(options: ServerOptions): void {
  if (options.listenPeerUrls.length === 1) return;
  throw new ConfigError(
    'listen-peer-urls',
    'flag',
    `--listen-peer-urls has ${options.listenPeerUrls.length} addresses; this version listens on exactly one`,
  );
}

function firstAddress(member: FoundingMember): string {
  const [url] = member.peerURLs;
  if (url === undefined) throw new ConfigError('initial-cluster', 'flag', `${member.name} has no peer address`);
  return socketAddress(url);
}

function storeBytes(machine: KvStateMachine): { readonly total: number; readonly inUse: number } {
  const { keyBytes, valueBytes, valueBytesAllocated } = machine.store.statistics();
  return { total: keyBytes + valueBytesAllocated, inUse: keyBytes + valueBytes };
}

/** 64 random bits. */
function drawId({ random }: Environment): bigint {
  return (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
}
