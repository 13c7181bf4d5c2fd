/** Writes down what happens in a cluster, line by line. */
import type { Entry, Input, LogPosition, Message, Outgoing, Output, PersistBatch } from '../../../src/index.ts';
import type { Observer } from '../observer.ts';
import type { TestServer } from '../server.ts';
import {
  formatBatch,
  formatChangeResult,
  formatDuration,
  formatEntries,
  formatEvent,
  formatMessage,
  formatPosition,
  formatProposal,
  formatRead,
  formatTransfer,
} from './format.ts';

export class Trace implements Observer {
  timers = false;
  #lines: string[] = [];
  readonly #commits = new Map<string, number>();

  /** The lines since the last call. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  say(line: string): void {
    this.#lines.push(line);
  }

  started(server: TestServer): void {
    this.#commits.set(server.id, server.core.commitIndex);
  }

  stepping(server: TestServer, input: Input): void {
    if (input.kind === 'message') {
      this.say(`${server.id} <- ${input.message.from} ${formatMessage(input.message)}`);
    } else if (input.kind === 'timeout') {
      this.say(`${server.id} timeout ${input.name}`);
    }
  }

  stepped(server: TestServer): void {
    const { commitIndex } = server.core;
    if (commitIndex !== this.#commits.get(server.id)) {
      this.#commits.set(server.id, commitIndex);
      this.say(`${server.id} commit ${commitIndex}`);
    }
  }

  output(server: TestServer, output: Output): void {
    for (const event of output.events) {
      const line = formatEvent(event);
      if (line !== null) {
        this.say(`${server.id} ${line}`);
      }
    }
    if (output.persist !== null) {
      this.say(`${server.id} persist ${formatBatch(output.persist)}`);
    }
    for (const { message, after } of output.send) {
      if (after > server.disk.durableId) {
        this.say(`${server.id} .. ${message.to} ${formatMessage(message)} after #${after}`);
      }
    }
    for (const timer of output.arm) {
      if (this.timers) {
        const range = timer.max === 0 ? 'off' : `${formatDuration(timer.min)}..${formatDuration(timer.max)}`;
        this.say(`${server.id} timer ${timer.name} ${range}`);
      }
    }
    for (const request of output.load) {
      this.say(`${server.id} load #${request.id} ${request.from}..${request.to}`);
    }
    for (const result of output.proposals) {
      this.say(`${server.id} ${formatProposal(result)}`);
    }
    for (const result of output.reads) {
      this.say(`${server.id} ${formatRead(result)}`);
    }
    for (const result of output.changes) {
      this.say(`${server.id} ${formatChangeResult(result)}`);
    }
    for (const result of output.transfers) {
      this.say(`${server.id} ${formatTransfer(result)}`);
    }
  }

  sent(server: TestServer, { message }: Outgoing): void {
    this.say(`${server.id} -> ${message.to} ${formatMessage(message)}`);
  }

  lost(message: Message): void {
    this.say(`${message.from} -x ${message.to} ${message.kind}`);
  }

  durable(server: TestServer, batch: PersistBatch): void {
    this.say(`${server.id} durable #${batch.id}`);
  }

  applied(server: TestServer, entries: readonly Entry[]): void {
    this.say(`${server.id} apply ${formatEntries(entries)}`);
  }

  restored(server: TestServer, position: LogPosition): void {
    this.say(`${server.id} restore ${formatPosition(position)}`);
  }
}
