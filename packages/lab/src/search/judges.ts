/** The rules of Raft that can be seen from outside, whatever is inside: looked at after every step. */
import type { Broken } from '@quorate/sim';
import type { ApplyMessage, StartResult } from '../interface.ts';
import { codeOf } from './plain-code.ts';
import { type LabGhost, snapshotBytes } from './ghost.ts';
import { describePlain } from '../record/describe.ts';
import type { SearchedServer } from './server.ts';

/** What a step has shown of a server. */
export interface Shown {
  readonly server: SearchedServer;
  readonly applied: readonly ApplyMessage[];
  /** What the client was told of `command`; null if the step was no start. */
  readonly started: StartResult | null;
  readonly command: string;
}

export interface Judgement {
  readonly ghost: LabGhost;
  readonly broken: Broken | null;
}

/** What is remembered from here on, and the first rule that the step breaks. */
export function judge(ghost: LabGhost, shown: Shown): Judgement {
  const judging = new Judging(ghost);
  judging.leader(shown.server);
  if (shown.started !== null) judging.promise(shown.server, shown.command, shown.started);
  for (const message of shown.applied) judging.applied(shown.server.id, message);
  return { ghost: judging.ghost, broken: judging.broken };
}

/** Commands come in order and without gaps, and nothing that is applied is taken back: what one server shows of itself. */
export function outOfOrder(server: number, applied: number, { kind, index }: ApplyMessage): Broken | null {
  const first = `server ${server} has applied everything up to ${applied}`;
  if (kind === 'command' && index !== applied + 1)
    return { invariant: 'commands are applied in order', first, second: `it applies index ${index}` };
  if (kind === 'snapshot' && index < applied) {
    const second = `it applies a snapshot that ends at ${index}`;
    return { invariant: 'nothing that is applied is lost', first, second };
  }
  return null;
}

/** "Current terms … increase monotonically" (§5.1). */
export function termFell(before: SearchedServer, term: number): Broken | null {
  if (before.status !== 'up' || term >= before.term) return null;
  const { id } = before;
  return {
    invariant: 'terms do not fall',
    first: `server ${id} was in term ${before.term}`,
    second: `now it is in term ${term}`,
  };
}

/** `doing`: what it was at, as "handled its timer". */
export function threw(server: number, doing: string, error: unknown): Broken {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const where = error instanceof Error ? framesOf(error) : '';
  return { invariant: 'nothing throws', first: `server ${server} ${doing}`, second: `its code threw ${what}${where}` };
}

/** Frames of a stack that say enough. */
const FRAMES = 6;

function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => line.trim().startsWith('at '));
  return frames.length === 0 ? '' : `\n${frames.slice(0, FRAMES).join('\n')}`;
}

class Judging {
  ghost: LabGhost;
  broken: Broken | null = null;

  constructor(ghost: LabGhost) {
    this.ghost = ghost;
  }

  /** Election Safety (§5.2): at most one leader in a term, ever. */
  leader({ id, term, isLeader, status }: SearchedServer): void {
    if (!isLeader || status !== 'up') return;
    const other = this.ghost.leaders.find((each) => each.term === term);
    if (other === undefined) {
      const leaders = [...this.ghost.leaders, { term, server: id }];
      this.ghost = { ...this.ghost, leaders };
    } else if (other.server !== id) {
      this.#break(
        'a term has at most one leader',
        `server ${other.server} led term ${term}`,
        `server ${id} leads it too`,
      );
    }
  }

  promise({ id, term, isLeader }: SearchedServer, command: string, started: StartResult): void {
    if (started.isLeader !== isLeader || (isLeader && started.term !== term)) {
      this.#break(
        'start answers as getState does',
        `getState of server ${id} says term ${term}, ${isLeader ? 'leader' : 'no leader'}`,
        `start says term ${started.term}, ${started.isLeader ? 'leader' : 'no leader'}`,
      );
    }
    const { index } = started;
    if (!started.isLeader) return;
    const isSound = Number.isSafeInteger(index) && index >= 1;
    if (!isSound)
      this.#break('start names an index', `server ${id} leads term ${term}`, `start answers with index ${index}`);
    const other = this.ghost.promises.find((each) => each.term === started.term && each.index === index);
    if (other !== undefined) {
      this.#break(
        'a leader puts one command at an index',
        `in term ${other.term} server ${other.server} put ${other.command} at index ${index}`,
        `in the same term ${command} is to stand there`,
      );
    }
    const promises = [...this.ghost.promises, { command, server: id, index, term: started.term }];
    this.ghost = { ...this.ghost, promises };
  }

  /** State Machine Safety (§5.4.3): what was applied anywhere at an index is applied there by everybody, for ever. */
  applied(server: number, message: ApplyMessage): void {
    if (message.kind === 'snapshot') {
      this.#restored(server, message.index, message.data);
      return;
    }
    const { index, command } = message;
    const before = this.ghost.applied[index - 1];
    if (index > this.ghost.applied.length) this.#news(server, index, command);
    else if (codeOf(before) !== codeOf(command)) {
      this.#break(
        'all servers apply the same commands',
        `${describePlain(before)} was applied at index ${index}`,
        `server ${server} applies ${describePlain(command)} there`,
      );
    }
  }

  #news(server: number, index: number, command: unknown): void {
    const { applied, promises } = this.ghost;
    const promise = promises.find((each) => each.command === command);
    const applying = `server ${server} applies ${JSON.stringify(command)} at index ${index}`;
    if (typeof command !== 'string' || promise === undefined) {
      this.#break('only what was started is applied', `no server that leads was asked for it`, applying);
      return;
    }
    const promised = promises.filter((each) => each.command === command);
    if (!promised.some((each) => each.index === index)) {
      const { server: leader, term } = promise;
      const first = `in term ${term} server ${leader} said that ${command} would stand at index ${promise.index}`;
      this.#break('commands stand where start said', first, applying);
    }
    this.ghost = { ...this.ghost, applied: [...applied, command] };
  }

  #restored(server: number, index: number, data: Uint8Array): void {
    const { applied } = this.ghost;
    if (index <= applied.length && codeOf(data) === codeOf(snapshotBytes(applied, index))) return;
    this.#break(
      'all servers apply the same commands',
      `${applied.length} commands were applied anywhere`,
      `server ${server} applies a snapshot up to index ${index} that is not the service's state there`,
    );
  }

  #break(invariant: string, first: string, second: string): void {
    this.broken ??= { invariant, first, second };
  }
}
