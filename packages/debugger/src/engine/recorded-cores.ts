/** The cores of a recording, stepped through what was recorded. */
import { type Output, Raft, type RaftOptions } from '@quorate/raft';
import { type CoreServer, copyState } from '@quorate/sim';
import { asCoreServer, type RecordedServer, withOutline } from './lookalike.ts';
import type { RecordedEvent } from './recording.ts';
import { leaseOf } from './server-view.ts';
import type { LeaseView, TimerView } from './views.ts';

interface Running {
  readonly options: RaftOptions;
  readonly raft: Raft;
  isUp: boolean;
  isPaused: boolean;
  /** Why it stopped by itself; null if it did not. */
  failure: string | null;
  timers: readonly TimerView[];
  /** What is added to its clock to have the recording's time. */
  offset: number;
  /** It was handed something, and not asked since then what it wants done. */
  isGathering: boolean;
}

export class RecordedCores {
  readonly #running = new Map<string, Running>();

  /** Whether a copy would be the same: what a core wants done, and nobody has asked for, is no part of its state. */
  get isWhole(): boolean {
    return [...this.#running.values()].every(({ isGathering, isUp }) => !isGathering || !isUp);
  }

  /** The same cores, which go their own way from here. Only where `isWhole`. */
  copy(): RecordedCores {
    const copy = new RecordedCores();
    for (const [id, running] of this.#running) {
      const { options, raft } = running;
      copy.#running.set(id, { ...running, raft: Raft.fromState(options, copyState(raft.state)) });
    }
    return copy;
  }

  /** Does what was recorded. Returns what the core asked for. */
  follow(event: RecordedEvent): readonly Output[] {
    switch (event.kind) {
      case 'start': {
        const { server, options, takes, at } = event;
        const life = { isUp: true, isPaused: false, failure: null, timers: [], offset: 0, isGathering: false };
        const running: Running = { options, raft: event.begin(), ...life };
        this.#running.set(server, running);
        return take(running, takes, at);
      }
      case 'stop': {
        const running = this.#running.get(event.server);
        if (running !== undefined) {
          running.isUp = false;
          running.failure = event.isOwn ? event.reason : null;
        }
        return [];
      }
      case 'fault': {
        const running = event.server === null ? undefined : this.#running.get(event.server);
        if (running !== undefined && event.fault === 'pause') running.isPaused = true;
        if (running !== undefined && event.fault === 'resume') running.isPaused = false;
        if (event.fault === 'calm') for (const each of this.#running.values()) each.isPaused = false;
        return [];
      }
      case 'input': {
        const running = this.#running.get(event.server);
        if (running === undefined) return [];
        running.raft.step(event.input);
        running.isGathering = true;
        running.offset = event.at - event.input.now;
        return take(running, event.takes, event.at);
      }
    }
  }

  server(id: string): CoreServer | null {
    const running = this.#running.get(id);
    return running === undefined ? null : asCoreServer(id, recorded(running));
  }

  /** With all of its log that is known of, for those who show it. */
  outlined(id: string): CoreServer | null {
    const running = this.#running.get(id);
    if (running === undefined) return null;
    const known = recorded(running);
    return withOutline(asCoreServer(id, known), known);
  }

  lease(id: string): LeaseView | null {
    const running = this.#running.get(id);
    return running?.isUp === true ? leaseOf(running.raft.state, running.options, running.offset) : null;
  }

  timers(id: string): readonly TimerView[] {
    return this.#running.get(id)?.timers ?? [];
  }
}

function take(running: Running, takes: number, at: number): readonly Output[] {
  const outputs: Output[] = [];
  for (let taken = 0; taken < takes; taken++) {
    const output = running.raft.takeOutput();
    outputs.push(output);
    running.timers = armed(running.timers, output, at);
    running.isGathering = false;
  }
  return outputs;
}

function recorded({ options, raft, isUp, isPaused, failure, timers }: Running): RecordedServer {
  return { options, state: copyState(raft.state), isUp, isPaused, failure, timers };
}

/** A recording does not say how long a timer was drawn: the middle of what it may be is shown. */
function armed(before: readonly TimerView[], { arm }: Output, at: number): readonly TimerView[] {
  if (arm.length === 0) return before;
  const kept = before.filter(({ name }) => !arm.some((command) => command.name === name));
  const added = arm
    .filter(({ max }) => max > 0)
    .map(({ name, min, max }) => ({ name, armedAt: at, dueAt: at + (min + max) / 2 }));
  return [...kept, ...added];
}
