/**
 * One step of one server in handlers: a handler is called on a copy of the state, and all that it does is written down. The server that
 * was is left as it was, so a step can be made again, and others be made from the same state.
 */
import { type Broken, ranked, type TimerOrder } from '@quorate/sim';
import { readSnapshot } from '../cluster/service.ts';
import type { HandlerContext, HandlerModule } from '../handlers.ts';
import type { ApplyMessage, PlainData, StartResult } from '../interface.ts';
import { copyPlain } from '../plain-data.ts';
import { codeOf } from './plain-code.ts';
import { outOfOrder, termFell, threw } from './judges.ts';
import type { LabMessage } from './message.ts';
import type { HandledServer, SearchedServer } from './server.ts';
import { plain, type StateCodec } from './state-codec.ts';

/** What happens to a server. */
export type LabEvent =
  | { readonly kind: 'begin' }
  | { readonly kind: 'timer'; readonly name: string }
  | { readonly kind: 'request'; readonly call: LabMessage }
  /** The answer is null if there is none. */
  | {
      readonly kind: 'reply';
      readonly to: number;
      readonly method: string;
      readonly args: PlainData;
      readonly answer: PlainData;
    }
  | { readonly kind: 'start'; readonly command: string }
  | { readonly kind: 'snapshot'; readonly index: number; readonly data: Uint8Array }
  | { readonly kind: 'change'; readonly members: readonly number[] };

/** What came of a step of one server. */
export interface Turned<Server extends SearchedServer = HandledServer> {
  readonly server: Server;
  readonly calls: readonly LabMessage[];
  /** Of a request. */
  readonly answer: PlainData;
  readonly applied: readonly ApplyMessage[];
  /** Of a start. */
  readonly started: StartResult | null;
  /** Of a change: whether it has begun. */
  readonly hasBegun: boolean;
  /** Whether what survives a crash is other than before; in the async style, whether it was saved at all. */
  readonly hasSaved: boolean;
  /** Whether somebody else could notice it: something was called, saved or applied, or it is in another term or role. */
  readonly isNoticed: boolean;
  /** What the handler did that none may; null for nothing. */
  readonly broken: Broken | null;
}

/** What is searched. */
export interface Subject {
  readonly module: HandlerModule;
  readonly states: StateCodec;
}

export function takeTurn(subject: Subject, before: HandledServer, servers: number, event: LabEvent): Turned {
  const turn = new Turn(subject, before, servers);
  try {
    turn.handle(event);
    return turn.end();
  } catch (error) {
    return turn.failed(event, error);
  }
}

class Turn {
  readonly #module: HandlerModule;
  readonly #states: StateCodec;
  readonly #before: HandledServer;
  readonly #servers: number;
  readonly #context: HandlerContext;
  #state: unknown;
  #timers: readonly TimerOrder[];
  #saved: PlainData;
  #snapshot: Uint8Array | null;
  #snapshotIndex: number;
  #status: HandledServer['status'];
  #applied: number;
  #answer: PlainData = null;
  #started: StartResult | null = null;
  #hasBegun = false;
  readonly #calls: LabMessage[] = [];
  readonly #messages: ApplyMessage[] = [];
  #broken: Broken | null = null;

  constructor({ module, states }: Subject, before: HandledServer, servers: number) {
    this.#module = module;
    this.#states = states;
    this.#before = before;
    this.#servers = servers;
    this.#state = before.state === null ? null : states.copy(before.state);
    this.#timers = before.timers;
    this.#saved = before.saved;
    this.#snapshot = before.snapshot;
    this.#snapshotIndex = before.snapshotIndex;
    this.#status = before.status;
    this.#applied = before.applied;
    this.#context = {
      me: before.id,
      servers,
      call: (to, method, args) => this.#call(to, method, args),
      setTimer: (name, min, max) => this.#setTimer(name, min, max),
      clearTimer: (name) => {
        this.#timers = this.#timers.filter((timer) => timer.name !== name);
      },
      save: (state, snapshot) => this.#save(state, snapshot),
      apply: (message) => this.#apply(message),
    };
  }

  handle(event: LabEvent): void {
    const module = this.#module;
    const context = this.#context;
    switch (event.kind) {
      case 'begin':
        this.#begin();
        break;
      case 'timer':
        this.#timers = this.#timers.filter(({ name }) => name !== event.name);
        module.timer(this.#state, event.name, context);
        break;
      case 'request': {
        const { from, method, args } = event.call;
        const answer = module.request(this.#state, from, method, copyPlain(args).value, context);
        this.#answer = plain(`the answer to ${method}`, answer ?? false);
        break;
      }
      case 'reply': {
        const [args, answer] = [copyPlain(event.args).value, copyPlain(event.answer).value];
        module.reply(this.#state, event.to, event.method, args, answer, context);
        break;
      }
      case 'start':
        this.#started = module.start(this.#state, event.command, context);
        break;
      case 'snapshot':
        this.#snapshotIndex = event.index;
        module.snapshot?.(this.#state, event.index, event.data.slice(), context);
        break;
      case 'change':
        this.#hasBegun = module.change?.(this.#state, event.members, context) ?? false;
        break;
    }
  }

  /** The service begins where the snapshot that was saved says. */
  #begin(): void {
    this.#status = 'up';
    this.#snapshotIndex = this.#savedIndex();
    this.#applied = this.#snapshotIndex;
    this.#timers = [];
    this.#state = this.#module.init(this.#context, copyPlain(this.#saved).value, this.#snapshot?.slice() ?? null);
  }

  #savedIndex(): number {
    if (this.#snapshot === null) return 0;
    const held = readSnapshot(this.#snapshot);
    if (held === null) {
      const first = `server ${this.#before.id} saved a snapshot`;
      this.#break('what is saved is the snapshot of the service', first, 'the service cannot read it');
    }
    return held?.index ?? 0;
  }

  end(): Turned {
    const before = this.#before;
    const { term, isLeader } = this.#module.getState(this.#state);
    this.#broken ??= termFell(before, term);
    const server: HandledServer = {
      id: before.id,
      status: this.#status,
      term,
      isLeader,
      applied: this.#applied,
      state: this.#states.seal(this.#state),
      timers: ranked(this.#timers),
      saved: this.#saved,
      snapshot: this.#snapshot,
      snapshotIndex: this.#snapshotIndex,
    };
    return this.#turned(server);
  }

  #turned(server: HandledServer): Turned {
    const { saved, snapshot, term, isLeader } = this.#before;
    const hasSaved = snapshot !== this.#snapshot || (saved !== this.#saved && codeOf(saved) !== codeOf(this.#saved));
    const isNoticed =
      this.#calls.length > 0 ||
      this.#messages.length > 0 ||
      hasSaved ||
      term !== server.term ||
      isLeader !== server.isLeader;
    return {
      server,
      calls: this.#calls,
      answer: this.#answer,
      applied: this.#messages,
      started: this.#started,
      hasBegun: this.#hasBegun,
      hasSaved,
      isNoticed,
      broken: this.#broken,
    };
  }

  failed(event: LabEvent, error: unknown): Turned {
    this.#broken = threw(this.#before.id, nameOf(event), error);
    return this.#turned(this.#before);
  }

  #call(to: number, method: string, args: unknown): void {
    const { id } = this.#before;
    if (!(Number.isInteger(to) && to >= 0 && to < this.#servers) || to === id) {
      throw new RangeError(
        `call(${to}, '${method}'): there is no other server ${to}; they are 0 to ${this.#servers - 1}`,
      );
    }
    const copied = plain(`the arguments of ${method}`, args);
    this.#calls.push({ kind: 'call', from: id, to, method, args: copied, answer: null, isAwaited: true });
  }

  #setTimer(name: string, min: number, max: number): void {
    if (!(min >= 0 && max >= min))
      throw new RangeError(`setTimer('${name}', ${min}, ${max}): 0 ≤ min ≤ max, in milliseconds`);
    // Whatever is armed within a step is armed at one moment.
    const arming = 1 + Math.max(0, ...this.#before.timers.map((timer) => timer.arming));
    this.#timers = [...this.#timers.filter((timer) => timer.name !== name), { name, min, max, arming }];
  }

  #save(state: unknown, snapshot: Uint8Array | null): void {
    this.#saved = plain('what is saved', state);
    const isSame = codeOf(snapshot) === codeOf(this.#snapshot);
    if (!isSame) this.#snapshot = snapshot?.slice() ?? null;
  }

  /** Whether what is applied is right is for those to judge who know of all servers (judges.ts); that it comes in order shows here. */
  #apply(message: ApplyMessage): void {
    const { id } = this.#before;
    const copied = message.kind === 'command' ? { ...message, command: copyPlain(message.command).value } : message;
    this.#messages.push(copied);
    const { index } = copied;
    this.#broken ??= outOfOrder(id, this.#applied, copied);
    this.#applied = index;
    if (copied.kind === 'snapshot') this.#snapshotIndex = index;
  }

  #break(invariant: string, first: string, second: string): void {
    this.#broken ??= { invariant, first, second };
  }
}

function nameOf(event: LabEvent): string {
  switch (event.kind) {
    case 'begin':
      return 'began (init)';
    case 'timer':
      return `handled its timer '${event.name}'`;
    case 'request':
      return `handled the call ${event.call.method} of server ${event.call.from}`;
    case 'reply':
      return `handled what came of its call ${event.method} of server ${event.to}`;
    case 'start':
      return `was to start ${event.command}`;
    case 'snapshot':
      return `was handed a snapshot up to index ${event.index}`;
    case 'change':
      return `was asked to change its members`;
  }
}
