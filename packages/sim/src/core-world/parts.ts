/** The pieces that a core world is put together from, and a few small steps with them. */
import {
  initialConfiguration,
  type Member,
  type MemberChange,
  type MemberId,
  type Message,
  type Micros,
} from '@quorate/raft';
import type { CoreAction } from './action.ts';
import { Catalogue, type Coded, type Local } from './catalogue.ts';
import { Encoder } from './encoding.ts';
import { emptyGhost, type Ghost } from './ghost.ts';
import type { CoreOperation } from './operations.ts';
import { budgetNames, type ChangeOffer, incarnationOf, type Setting } from './options.ts';
import type { Flight } from './report.ts';
import { newServer } from './server.ts';
import { Symmetry } from './symmetry.ts';
import type { Broken } from './surroundings.ts';

/** All that a world is, besides what it shares with those that branched off it. */
export interface Parts {
  readonly setting: Setting;
  readonly catalogue: Catalogue;
  readonly locals: readonly Local[];
  readonly flights: readonly Flight[];
  readonly ghost: CodedGhost;
  /** How much of each budget is spent, in the order of `budgetNames`. */
  readonly used: readonly number[];
  /** Links that are cut, as `from * servers + to`, ascending. */
  readonly cuts: readonly number[];
  readonly lastMessage: number;
  readonly draws: number;
  readonly now: Micros;
  readonly steps: number;
  readonly operations: readonly CoreOperation[];
  readonly broken: Broken | null;
}

export interface CodedGhost {
  readonly ghost: Ghost;
  readonly coded: Coded;
}

/** A world whose servers have not been started yet. */
export function emptyParts(setting: Setting, isRemembering: boolean): Parts {
  const catalogue = new Catalogue(new Symmetry(setting), new Encoder(setting.ids), isRemembering);
  const members = (ids: readonly MemberId[]): Member[] =>
    ids.map((id) => ({ id, incarnation: setting.isBound ? incarnationOf(id) : null, context: '' }));
  const founding = initialConfiguration(members(setting.voters), members(setting.learners));
  const stranger = initialConfiguration([]);
  return {
    setting,
    catalogue,
    locals: setting.ids.map((id, at) =>
      catalogue.local(newServer(id, setting.spares.includes(id) ? stranger : founding), at),
    ),
    flights: [],
    ghost: { ghost: emptyGhost, coded: catalogue.code(emptyGhost) },
    used: budgetNames.map(() => 0),
    cuts: [],
    lastMessage: 0,
    draws: 0,
    now: 0,
    steps: 0,
    operations: [],
    broken: null,
  };
}

export function startOf(server: MemberId): CoreAction {
  return { kind: 'restart', server };
}

export function increased(used: readonly number[], at: number): readonly number[] {
  return used.with(at, (used[at] ?? 0) + 1);
}

export function changeOf(offer: ChangeOffer): MemberChange {
  return offer.op === 'add'
    ? { op: 'add', id: offer.member, context: '', voter: offer.voter }
    : { op: offer.op, id: offer.member };
}

/** Actions that time brings about. */
export function isSame(a: CoreAction, b: CoreAction): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'deliver' || a.kind === 'drop' || a.kind === 'duplicate')
    return 'message' in b && a.message === b.message;
  return 'server' in a && 'server' in b && a.server === b.server;
}

/** Messages of this kind never arrive here. */
export function isLost({ lost }: Setting, { kind }: Message): boolean {
  return lost.includes(kind);
}
