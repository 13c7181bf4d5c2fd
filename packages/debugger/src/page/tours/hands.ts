/** What a guide's hands do: the same actions that a person would choose, one after the other. */
import type { MessageKind } from '@quorate/raft';
import type { CoreAction } from '@quorate/sim';
import type { Frame } from '../../engine/protocol.ts';
import type { MessageView, ServerView } from '../../engine/views.ts';
import { act, stepBy } from '../session.ts';
import { frame } from '../store.ts';

/** Actions of one task: a guide that goes on for ever has lost its way. */
const maxActions = 200;
/** Steps that are waited for. */
const maxSteps = 1_000;

export function serverIn(moment: Frame | null, id: string): ServerView | null {
  return moment?.servers.find((server) => server.id === id) ?? null;
}

export function leads(moment: Frame | null, id: string): boolean {
  const server = serverIn(moment, id);
  return server?.role === 'leader' && server.condition === 'running';
}

export function inFlight(moment: Frame | null, kind: MessageKind): readonly MessageView[] {
  return moment?.messages.filter((message) => message.kind === kind) ?? [];
}

export const fire = (server: string): Promise<boolean> => act({ kind: 'timeout', server, timer: 'election' });
export const propose = (server: string): Promise<boolean> => act({ kind: 'propose', server });
export const crash = (server: string): Promise<boolean> => act({ kind: 'crash', server, keep: 0 });
export const restart = (server: string): Promise<boolean> => act({ kind: 'restart', server });

/** Cuts all links between the servers of the one side and the rest. */
export function cutOff(side: readonly string[]): Promise<boolean> {
  const others = frame.value?.servers.map(({ id }) => id).filter((id) => !side.includes(id)) ?? [];
  const cuts = side.flatMap((from) =>
    others.flatMap((to): CoreAction[] => [
      { kind: 'cut', from, to },
      { kind: 'cut', from: to, to: from },
    ]),
  );
  return act(...cuts);
}

export const heal = (): Promise<boolean> => act({ kind: 'heal' });

/** Makes everything durable that a server writes. */
export async function persist(server: string): Promise<void> {
  await repeat(() => choose((action) => action.kind === 'persist' && action.server === server));
}

/** Loses the messages that are meant. */
export async function drop(isMeant: (message: MessageView) => boolean): Promise<void> {
  await act(...(frame.value?.messages.filter(isMeant) ?? []).map(({ id }) => ({ kind: 'drop', message: id }) as const));
}

/** Delivers the messages that are meant, and those that they give rise to. */
export async function deliver(isMeant: (message: MessageView) => boolean): Promise<void> {
  await repeat((moment) => {
    const ids = new Set(moment.messages.filter(isMeant).map(({ id }) => id));
    return choose((action) => action.kind === 'deliver' && ids.has(action.message));
  });
}

/** Disks, state machines and messages among these servers, until there is nothing left to do but wait, or something is so. */
export async function settle(
  servers: readonly string[],
  isSo: (moment: Frame) => boolean = () => false,
): Promise<void> {
  await repeat((moment) => {
    if (isSo(moment)) return null;
    const ids = new Set(
      moment.messages.filter(({ from, to }) => servers.includes(from) && servers.includes(to)).map(({ id }) => id),
    );
    return choose((action) => {
      if (action.kind === 'deliver') return ids.has(action.message);
      return (action.kind === 'persist' || action.kind === 'apply') && servers.includes(action.server);
    });
  });
}

/** Fires its election timer and carries the votes of these servers, until it leads or nothing more comes of it. */
export async function elect(server: string, voters: readonly string[]): Promise<void> {
  await fire(server);
  await settle([server, ...voters], (moment) => leads(moment, server));
}

/** Lets time go on until something is so. */
export async function waitUntil(isSo: (moment: Frame) => boolean): Promise<void> {
  for (let gone = 0; gone < maxSteps; gone++) {
    if (frame.value === null || isSo(frame.value) || !(await stepBy(1))) return;
  }
}

async function repeat(next: (moment: Frame) => CoreAction | null): Promise<void> {
  for (let done = 0; done < maxActions; done++) {
    const action = frame.value === null ? null : next(frame.value);
    if (action === null || !(await act(action))) return;
  }
}

/** The first of what is possible now that is meant. */
function choose(isMeant: (action: CoreAction) => boolean): CoreAction | null {
  for (const { choices } of frame.value?.pending ?? []) {
    for (const { action, refused } of choices)
      if (refused === null && action.kind !== 'deed' && isMeant(action)) return action;
  }
  return null;
}
