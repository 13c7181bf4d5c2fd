/** A host as a place for servers: what it is, and what can be asked of its agent. */
import { join } from 'node:path';
import { type LayoutMember, LOOPBACK, type ProcessSpec, serveProgram, type ServerProgram } from '@quorate/processes';
import type { LinkFault } from '../harness/link.ts';
import type { Conditions } from '../report/conditions.ts';
import type { AgentClient } from './agent-client.ts';
import { ENTRY_THERE } from './build.ts';
import type { Place, RelayDoors, ServerProcess } from './place.ts';
import { RemoteProcess } from './remote-process.ts';

export interface HostFacts {
  readonly name: string;
  readonly address: string;
  /** Where the build stands there. */
  readonly root: string;
  /** The Node.js that runs there. */
  readonly node: string;
  readonly conditions: Conditions;
}

export class HostPlace implements Place {
  readonly name: string;
  readonly address: string;
  readonly conditions: Conditions;
  readonly #facts: HostFacts;
  readonly #agent: AgentClient;
  #relays = 0;

  constructor(facts: HostFacts, agent: AgentClient) {
    this.name = facts.name;
    this.address = facts.address;
    this.conditions = facts.conditions;
    this.#facts = facts;
    this.#agent = agent;
  }

  freePorts(count: number): Promise<readonly number[]> {
    return this.#agent.call('freePorts', count);
  }

  newDirectory(name: string): Promise<string> {
    return this.#agent.call('newDirectory', name);
  }

  async removeDirectory(directory: string): Promise<void> {
    // A host that is not asked any more cleans up by itself.
    if (!this.#agent.isOver) await this.#agent.call('removeDirectory', directory);
  }

  readLog(file: string): Promise<string | null> {
    return this.#agent.call('readLog', file);
  }

  serve(flags: readonly string[]): ServerProgram {
    const program = serveProgram(join(this.#facts.root, ENTRY_THERE), flags);
    const args: ServerProgram['args'] = (layout, member, directory) =>
      alsoOnLoopback(program.args(layout, member, directory), member);
    return { ...program, command: this.#facts.node, args };
  }

  process(spec: ProcessSpec): ServerProcess {
    return new RemoteProcess(this.#agent, spec);
  }

  relay(fault: LinkFault, seed: number, name: string): RelayDoors {
    return new RemoteRelay(this.#agent, (this.#relays += 1), [fault, seed, name]);
  }

  async post({ clientPort }: LayoutMember, path: string): Promise<void> {
    await this.#agent.call('post', clientPort, path);
  }
}

/** The pages that hurt a server answer only there. */
function alsoOnLoopback(flags: readonly string[], { clientPort }: LayoutMember): string[] {
  const at = flags.indexOf('--listen-client-urls') + 1;
  return flags.map((flag, nth) => (nth === at ? `${flag},http://${LOOPBACK}:${clientPort}` : flag));
}

class RemoteRelay implements RelayDoors {
  readonly #agent: AgentClient;
  readonly #number: number;
  readonly #opened: Promise<void>;

  constructor(agent: AgentClient, number: number, how: readonly [LinkFault, number, string]) {
    this.#agent = agent;
    this.#number = number;
    this.#opened = agent.call('openRelay', number, ...how);
    // Told to whoever opens a door.
    this.#opened.catch(() => undefined);
  }

  async open(at: number, port: number, target: number): Promise<void> {
    await this.#opened;
    await this.#agent.call('openDoor', this.#number, at, port, target);
  }

  learn(id: string, at: number): void {
    // Fails only with the host, which is noticed elsewhere.
    this.#agent.call('learn', this.#number, id, at).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (!this.#agent.isOver) await this.#agent.call('closeRelay', this.#number);
  }
}
