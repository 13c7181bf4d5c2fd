import type { Micros, TimerCommand, TimerName } from '@quorate/raft';
import { drawBetween } from '../draw.ts';
import type { Environment, TimerHandle } from '../environment.ts';

/** In the order in which timers that are due together fire: a voter forgets its leader before it campaigns itself. */
const firingOrder: readonly TimerName[] = [
  'stickiness',
  'election',
  'heartbeat',
  'quorumCheck',
  'commitNotice',
  'transfer',
  'repair',
  'quiet',
];

export interface NamedTimersHost {
  /** Some timer has run out: a turn is wanted, after one more poll. */
  onDue(): void;
  /** How much later than asked for the real timer fired: how long the process stood still. */
  onLate(lateness: Micros): void;
}

interface DueTimer {
  readonly name: TimerName;
  readonly generation: number;
}

const none: readonly DueTimer[] = [];

interface Armed {
  readonly generation: number;
  readonly deadline: Micros;
  /** The deadline was seen to have passed, and one more poll was asked for since. */
  isDue: boolean;
}

/**
 * The core's named timers on one real timer. Heartbeats re-arm the election timer all the time, so a deadline that moves
 * away costs nothing: the real timer fires at the old one, finds nothing due and is set anew.
 *
 * A timer that has run out is only marked; it fires in the turn after the next poll, and only if nothing that arrived until
 * then has armed it anew. So a server that was stalled hears its leader before it stands against it.
 */
export class NamedTimers {
  readonly #environment: Environment;
  readonly #host: NamedTimersHost;
  readonly #armed = new Map<TimerName, Armed>();
  #real: TimerHandle | null = null;
  #realDeadline: Micros = 0;
  /** Some timer was marked since `takeDue` last looked. */
  #isAnyDue = false;

  constructor(environment: Environment, host: NamedTimersHost) {
    this.#environment = environment;
    this.#host = host;
  }

  /** Carries out the core's commands. */
  arm(commands: readonly TimerCommand[], now: Micros): void {
    if (commands.length === 0) return;
    for (const { name, generation, min, max } of commands) {
      if (max === 0) this.#armed.delete(name);
      else {
        const deadline = now + drawBetween(this.#environment.random, min, max);
        this.#armed.set(name, { generation, deadline, isDue: false });
      }
    }
    this.#setReal(now);
  }

  /** Takes the timers that were marked before the last poll and still stand, in firing order. */
  takeDue(): readonly DueTimer[] {
    if (!this.#isAnyDue) return none;
    this.#isAnyDue = false;
    const due: DueTimer[] = [];
    for (const name of firingOrder) {
      const armed = this.#armed.get(name);
      if (armed === undefined || !armed.isDue) continue;
      this.#armed.delete(name);
      due.push({ name, generation: armed.generation });
    }
    return due;
  }

  stop(): void {
    this.#armed.clear();
    if (this.#real !== null) this.#environment.timers.clear(this.#real);
    this.#real = null;
  }

  #setReal(now: Micros): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const armed of this.#armed.values()) {
      if (!armed.isDue && armed.deadline < earliest) earliest = armed.deadline;
    }
    if (earliest === Number.POSITIVE_INFINITY) return;
    if (this.#real !== null) {
      if (this.#realDeadline <= earliest) return;
      this.#environment.timers.clear(this.#real);
    }
    this.#realDeadline = earliest;
    this.#real = this.#environment.timers.set(Math.max(0, earliest - now), () => this.#onReal());
  }

  #onReal(): void {
    this.#real = null;
    const now = this.#environment.clock.now();
    this.#host.onLate(now - this.#realDeadline);
    for (const armed of this.#armed.values()) {
      if (armed.deadline > now) continue;
      armed.isDue = true;
      this.#isAnyDue = true;
    }
    this.#setReal(now);
    if (this.#isAnyDue) this.#host.onDue();
  }
}
