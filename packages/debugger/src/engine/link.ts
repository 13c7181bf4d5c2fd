/**
 * A run in an address: what it began with, and its decisions. Where the run took its own course only the number of such steps is written,
 * so a link holds what somebody decided.
 */
import { type CoreAction, CoreWorld } from '@quorate/sim';
import { equip } from './equip.ts';
import type { Host } from './host.ts';
import { isPlainObject, readRunSetup } from './read-setup.ts';
import { isSameAction } from './same-action.ts';
import { ownCourse } from './own-course.ts';
import type { RunSetup } from './setup.ts';

export const linkVersion = 1;
/** Characters: what browsers, chats and mails carry without harm. Beyond it the run is saved as a file. */
export const longestLink = 8_000;

interface LinkData {
  readonly v: typeof linkVersion;
  readonly setup: RunSetup;
  readonly step: number;
  /** A number stands for so many steps of the run's own course. */
  readonly did: readonly (number | CoreAction)[];
}

export interface Linked {
  readonly setup: RunSetup;
  /** The moment that was looked at. */
  readonly step: number;
  readonly actions: readonly CoreAction[];
  /** Why the run ends before the link does; null if all of it applies. */
  readonly remark: string | null;
}

export class LinkError extends Error {
  override readonly name = 'LinkError';
}

export async function encodeLink(
  setup: RunSetup,
  actions: readonly CoreAction[],
  step: number,
  host: Host,
): Promise<string> {
  const world = new CoreWorld(setup.options);
  const did: (number | CoreAction)[] = [];
  for (const action of actions) {
    const own = ownCourse(world, setup);
    const last = did[did.length - 1];
    if (own === null || !isSameAction(own, action)) did.push(action);
    else if (typeof last === 'number') did[did.length - 1] = last + 1;
    else did.push(1);
    world.perform(action);
  }
  const data: LinkData = { v: linkVersion, setup, step, did };
  const link = await host.pack(JSON.stringify(data));
  if (link.length > longestLink) {
    throw new LinkError(
      `The link would be ${link.length} characters long, and addresses carry ${longestLink}. Export the trace as a file instead.`,
    );
  }
  return link;
}

/** Throws LinkError for what is no link. */
export async function decodeLink(link: string, host: Host): Promise<Linked> {
  const data = await parse(link, host);
  const setup = readRunSetup(data.setup);
  if (setup === null)
    throw new LinkError('The link describes no cluster. It may have been cut short when it was copied.');
  return replayLink(await equip(setup, host), data);
}

async function parse(link: string, host: Host): Promise<LinkData> {
  let data: unknown;
  try {
    data = JSON.parse(await host.unpack(link));
  } catch (error) {
    throw new LinkError('The link cannot be read. It may have been cut short when it was copied.', { cause: error });
  }
  if (!isPlainObject(data) || !Array.isArray(data['did']) || typeof data['step'] !== 'number') {
    throw new LinkError('The link cannot be read: it holds no run.');
  }
  if (data['v'] !== linkVersion) {
    throw new LinkError(`The link is of version ${String(data['v'])}, and this page reads version ${linkVersion}.`);
  }
  return data as unknown as LinkData;
}

function replayLink(setup: RunSetup, { step, did }: LinkData): Linked {
  const world = new CoreWorld(setup.options);
  const actions: CoreAction[] = [];
  let remark: string | null = null;
  const ended = (why: string): string =>
    `Step ${actions.length + 1} of the link no longer applies (${why}): this is the run up to it.`;
  for (const part of did) {
    if (remark !== null) break;
    const count = typeof part === 'number' ? part : 1;
    for (let done = 0; done < count && remark === null; done++) {
      const action = typeof part === 'number' ? ownCourse(world, setup) : part;
      const why = action === null ? 'nothing is due any more' : whyNot(world, action);
      if (action === null || why !== null) remark = ended(why ?? '');
      else {
        world.perform(action);
        actions.push(action);
      }
    }
  }
  return { setup, step: Math.min(step, actions.length), actions, remark };
}

/** Also for what is no action at all: links come from anywhere. */
export function whyNot(world: CoreWorld, action: unknown): string | null {
  if (!isPlainObject(action) || typeof action['kind'] !== 'string') return 'it is no decision';
  try {
    return world.why(action as unknown as CoreAction);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
