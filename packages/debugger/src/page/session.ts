/** What a person can do with the run: every button and key leads here. Requests go one after the other, so that no frame overtakes. */
import type { FlightBytes } from '@quorate/sim';
import type { Answer, AnyAction, Ask, CommandName, ExportForm, Frame, Outcome } from '../engine/protocol.ts';
import type { ExplorationView } from '../engine/explore.ts';
import type { Predicate } from '../engine/predicates.ts';
import type { Setup } from '../engine/setup.ts';
import { EngineClient } from './engine-client.ts';
import { branch, busy, forgetSteps, frame, notice, playhead, problem, selection, takeFrame } from './store.ts';

const engine = new EngineClient(new Worker(new URL('../worker/main-worker.ts', import.meta.url), { type: 'module' }));

/** Answers a question that changes nothing. Failures are shown; the answer is null then. */
export async function ask<Name extends CommandName>(name: Name, question: Ask<Name>): Promise<Answer<Name> | null> {
  try {
    return await engine.ask(name, question);
  } catch (error) {
    report(error);
    return null;
  }
}

export function report(error: unknown): void {
  problem.value = error instanceof Error ? error.message : String(error);
}

/** Requests that move the moment, in order. */
let moves: Promise<unknown> = Promise.resolve();
/** How many wait or are under way: a key that is held down must not pile them up. */
let movesWaiting = 0;
const maxMovesWaiting = 8;

type Move = { [Name in CommandName]: Answer<Name> extends Frame ? Name : never }[CommandName];

function move<Name extends Move>(name: Name, question: Ask<Name>): Promise<boolean> {
  if (movesWaiting >= maxMovesWaiting) return Promise.resolve(false);
  movesWaiting += 1;
  const moved = afterMoves(moves, name, question);
  moves = moved;
  return moved;
}

async function afterMoves<Name extends Move>(
  before: Promise<unknown>,
  name: Name,
  question: Ask<Name>,
): Promise<boolean> {
  await before;
  try {
    const next: Frame = await engine.ask(name, question);
    show(next);
    return true;
  } catch (error) {
    report(error);
    return false;
  } finally {
    movesWaiting -= 1;
  }
}

function show(next: Frame): void {
  takeFrame(next);
  playhead.value = next.now;
  if (selection.value?.kind === 'message' && !next.messages.some(({ id }) => id === messageSelected())) {
    selection.value = null;
  }
}

function messageSelected(): number | null {
  return selection.value?.kind === 'message' ? selection.value.id : null;
}

export async function open(setup: Setup): Promise<boolean> {
  return begin(() => move('open', { setup }));
}

export async function openTrace(name: string, text: string): Promise<boolean> {
  return begin(() => move('openTrace', { name, text }));
}

export async function openFlights(name: string, files: readonly FlightBytes[]): Promise<boolean> {
  return begin(() => move('openFlights', { name, files }));
}

export async function openLink(link: string): Promise<boolean> {
  return begin(() => move('openLink', { link }));
}

async function begin(opening: () => Promise<boolean>): Promise<boolean> {
  const before = frame.value;
  frame.value = null;
  forgetSteps();
  selection.value = null;
  notice.value = null;
  const isOpen = await opening();
  // What could not be opened leaves a page with nothing on it, unless there is a way back to something.
  if (!isOpen && before === null) await move('open', { setup: { kind: 'fresh', servers: 3, seed: 1 } });
  return isOpen;
}

export const stepBy = (by: number): Promise<boolean> => move('step', { by });

/** In a world of whole nodes a decision makes the whole run again, which takes its time. */
export async function act(...actions: readonly AnyAction[]): Promise<boolean> {
  if (frame.value?.isRecording !== true) return move('act', { actions });
  busy.value = 'Making the run again';
  try {
    return await move('act', { actions });
  } finally {
    busy.value = null;
  }
}

/** Keeps the playhead where it is: time flows on. */
export const playTo = (at: number, most: number): Promise<boolean> => move('playTo', { at, most });

export function seek(step: number, onBranch = frame.value?.position.branch ?? 0): Promise<boolean> {
  return move('seek', { branch: onBranch, step });
}

export const toStart = (): Promise<boolean> => seek(0);
export const toEnd = (): Promise<boolean> => seek(branch.value?.length ?? 0);

export const runUntil = (predicate: Predicate): Promise<void> =>
  takeLong('runUntil', { predicate, how: 'continue' }, 'Running on');
export const searchFor = (predicate: Predicate): Promise<void> =>
  takeLong('runUntil', { predicate, how: 'search' }, 'Searching');
/** Null where it failed, which is shown. */
export async function explore(goal: Predicate | null, depth: number): Promise<ExplorationView | null> {
  if (busy.value !== null) return null;
  busy.value = 'Exploring';
  await moves;
  try {
    return await engine.ask('explore', { goal, depth }, (text) => (busy.value = `Exploring: ${text}`));
  } catch (error) {
    report(error);
    return null;
  } finally {
    busy.value = null;
  }
}

export const goToState = (of: 'picture' | 'near', id: number): Promise<boolean> => move('goToState', { of, id });

export const shrink = (): Promise<void> => takeLong('shrink', {}, 'Shrinking');

/** With progress, and a way to end it. */
async function takeLong<Name extends 'runUntil' | 'shrink'>(
  name: Name,
  question: Ask<Name>,
  title: string,
): Promise<void> {
  if (busy.value !== null) return;
  busy.value = title;
  notice.value = null;
  await moves;
  try {
    const outcome: Outcome = await engine.ask(name, question, (text) => (busy.value = `${title}: ${text}`));
    show(outcome.frame);
    notice.value = outcome.text;
  } catch (error) {
    report(error);
  } finally {
    busy.value = null;
  }
}

export function cancel(): void {
  engine.cancel();
}

export const exportAs = (form: ExportForm): Promise<string | null> => ask('export', { form });
export const link = (): Promise<string | null> => ask('link', {});
