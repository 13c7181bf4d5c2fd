/**
 * What a world and all that branch off it share: each server as it was ever found and each message that was ever sent, once, and what came
 * of every step: the same step of the same server, met again in another state of the world, is looked up.
 */
import type { Lanes } from '@quorate/sim';
import type { PlainData } from '../interface.ts';
import type { LabMessage } from './message.ts';
import { codeOf, lanesOfCode } from './plain-code.ts';
import type { HandledServer } from './server.ts';
import { type LabEvent, type Subject, takeTurn, type Turned } from './turn.ts';

/** Servers' states and messages that are remembered, about a kilobyte each; beyond it steps are made anew. */
const maxRemembered = 300_000;

/** A server as it is at some time. */
export interface Local {
  readonly record: HandledServer;
  readonly code: string;
  readonly lanes: Lanes;
  readonly turns: Map<unknown, LocalTurn>;
}

export interface Letter {
  readonly message: LabMessage;
  readonly code: string;
  readonly lanes: Lanes;
}

/** A step of a server, with what it led to taken up in the catalogue. */
export interface LocalTurn {
  readonly turned: Turned;
  readonly local: Local;
  readonly letters: readonly Letter[];
}

export class Catalogue {
  readonly subject: Subject;
  readonly servers: number;
  readonly #isRemembering: boolean;
  readonly #locals = new Map<string, Local>();
  readonly #letters = new Map<string, Letter>();

  constructor(subject: Subject, servers: number, isRemembering = true) {
    this.subject = subject;
    this.servers = servers;
    this.#isRemembering = isRemembering;
  }

  /** One that makes every step anew. */
  forgetful(): Catalogue {
    return new Catalogue(this.subject, this.servers, false);
  }

  /** What comes of the event at that server. `key` says which event it is; the same of the same server leads to the same. */
  turn(before: Local, key: unknown, event: LabEvent): LocalTurn {
    const known = this.#isRemembering ? before.turns.get(key) : undefined;
    if (known !== undefined) return known;
    const turned = takeTurn(this.subject, before.record, this.servers, event);
    const made: LocalTurn = {
      turned,
      local: turned.server === before.record ? before : this.local(turned.server),
      letters: turned.calls.map((message) => this.letter(message)),
    };
    if (this.#isRemembering) before.turns.set(key, made);
    return made;
  }

  local(record: HandledServer): Local {
    const { state, ...rest } = record;
    const inside = state === null ? '' : this.subject.states.code(state);
    const code = `${codeOf(rest as unknown as PlainData)} ${inside}`;
    const known = this.#locals.get(code);
    if (known !== undefined) return known;
    const local: Local = { record, code, lanes: lanesOfCode(code), turns: new Map<unknown, LocalTurn>() };
    return remember(this.#locals, local, this.#isRemembering);
  }

  letter(message: LabMessage): Letter {
    const code = codeOf(message as unknown as PlainData);
    const known = this.#letters.get(code);
    if (known !== undefined) return known;
    return remember(this.#letters, { message, code, lanes: lanesOfCode(code) }, this.#isRemembering);
  }
}

function remember<Kind extends { readonly code: string }>(
  known: Map<string, Kind>,
  kind: Kind,
  isRemembering: boolean,
): Kind {
  if (isRemembering && known.size < maxRemembered) known.set(kind.code, kind);
  return kind;
}
