/** What clients are told: invariants C10, G2, G6. */
import type { Entry, Index, Input, Output } from '../../../src/index.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';
import { type Ghosts, must } from './ghosts.ts';
import { isCommand } from './commits.ts';

const decoder = new TextDecoder();

export class ServiceInvariants implements Observer {
  readonly #ghosts: Ghosts;
  /** By `server/id`: the highest index committed anywhere when the read arrived. */
  readonly #reads = new Map<string, Index>();
  readonly #proposals = new Map<string, readonly string[]>();
  readonly #refused = new Set<string>();

  constructor(ghosts: Ghosts) {
    this.#ghosts = ghosts;
  }

  stepping(server: TestServer, input: Input): void {
    if (input.kind === 'read') {
      this.#reads.set(`${server.id}/${input.id}`, this.#ghosts.committedTo);
    } else if (input.kind === 'propose') {
      this.#proposals.set(
        `${server.id}/${input.id}`,
        input.commands.map((command) => decoder.decode(command)),
      );
    }
  }

  output(server: TestServer, output: Output): void {
    for (const read of output.reads) {
      const known = this.#reads.get(`${server.id}/${read.id}`);
      must(
        known !== undefined,
        'every answer has a question',
        () => `${server.id} answers read ${read.id}, nobody asked or it was answered`,
      );
      this.#reads.delete(`${server.id}/${read.id}`);
      must(read.refused !== null || read.index >= (known ?? 0), 'G2 a read index is fresh', () => {
        return `${server.id} lets read ${read.id} see ${read.index}; ${known} was committed before it came`;
      });
    }
    for (const result of output.proposals) {
      const commands = this.#proposals.get(`${server.id}/${result.id}`);
      must(
        commands?.length === result.count,
        'every answer has a question',
        () => `${server.id} answers proposal ${result.id} of ${result.count}`,
      );
      this.#proposals.delete(`${server.id}/${result.id}`);
      commands?.forEach((command, offset) => {
        if (result.refused !== null) {
          this.#refused.add(command);
        } else if (!result.unknown) {
          const key = `${result.index + offset}/${result.term}`;
          must(this.#ghosts.commands.get(key) === command, 'C10 an answer names the entry', () => {
            return `${server.id} says ${command} is entry ${key}, which holds ${this.#ghosts.commands.get(key)}`;
          });
        }
      });
    }
  }

  applied(server: TestServer, entries: readonly Entry[]): void {
    for (const entry of entries.filter(isCommand)) {
      const command = decoder.decode(entry.data);
      must(
        !this.#refused.has(command),
        'G6 refused means without effect',
        () => `${server.id} applies ${command}, which was refused`,
      );
    }
  }

  crashed(server: TestServer): void {
    for (const questions of [this.#reads, this.#proposals]) {
      for (const key of [...questions.keys()].filter((name) => name.startsWith(`${server.id}/`))) {
        questions.delete(key);
      }
    }
  }
}
