/** Ways to hurt a server on purpose, at the seam between the runtime and the world. Only with --enable-fault-injection. */
import { type Disk, type Environment, type Network, senderOfHello } from '@quorate/runtime';
import type { Faults } from '../http/pages.ts';
import { DelayLine } from './delay-line.ts';
import { faultyDisk } from './faulty-disk.ts';
import { FaultyNetwork } from './faulty-network.ts';
import { hogPool } from './pool-hog.ts';

export interface FaultyMember {
  /** As the consensus configuration names it. */
  readonly id: string;
  readonly name: string;
  /** As the network understands it. */
  readonly address: string;
}

export interface FaultInjection {
  readonly environment: Environment;
  readonly faults: Faults;
}

const slowed = { disk: 'the disk is', network: 'the network is', both: 'disk and network are' } as const;

/** An environment like the one given, whose disk and network can be hurt. `others`: the other members. */
export function injectFaults(environment: Environment, others: readonly FaultyMember[]): FaultInjection {
  const { clock, timers, logger } = environment;
  const line = (): DelayLine => new DelayLine(timers, () => clock.now());
  const lines = { log: line(), background: line(), network: line() };
  const network = new FaultyNetwork(
    environment.network,
    lines.network,
    (address) => others.find((member) => member.address === address)?.id ?? null,
    senderOfHello,
  );
  const hurt: { readonly disk: Disk; readonly network: Network } = {
    disk: faultyDisk(environment.disk, lines.log, lines.background),
    network,
  };
  return {
    environment: { ...environment, ...hurt },
    faults: {
      sleep(ms) {
        logger.log('warn', `Fault injection: the event loop stands still for ${ms} ms`);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      },
      partition(members) {
        const known = new Map(others.flatMap(({ id, name }) => [[id, id] as const, [name, id] as const]));
        const unknown = members.filter((member) => !known.has(member));
        if (unknown.length > 0) return unknown;
        const text = members.length === 0 ? 'traffic flows again' : 'traffic is cut';
        logger.log('warn', `Fault injection: ${text}`, { members });
        network.partition(new Set(members.map((member) => known.get(member) ?? member)));
        return [];
      },
      slow(ms, what) {
        logger.log('warn', `Fault injection: ${slowed[what]} slowed by ${ms} ms`);
        if (what !== 'network') for (const disk of [lines.log, lines.background]) disk.delay = ms * 1000;
        if (what !== 'disk') lines.network.delay = ms * 1000;
      },
      hogPool(how, ms) {
        logger.log('warn', `Fault injection: libuv's threads are kept ${how} for ${ms} ms`);
        hogPool(how, ms, (reason) => logger.log('error', `The threads cannot be kept ${how}`, { reason }));
      },
    },
  };
}
