/** The engine without a page: as a worker hosts it, but at once. */
import { bugs } from '@quorate/sim';
import { loadBug } from '@quorate/sim/node';
import { Engine } from '../../src/engine/engine.ts';
import type { Host } from '../../src/engine/host.ts';
import type { Answer, Ask, CommandName, Request } from '../../src/engine/protocol.ts';

export const host: Host = {
  progress: () => undefined,
  breathe: () => Promise.resolve(),
  isCancelled: () => false,
  pack: (text) => Promise.resolve(Buffer.from(text).toString('base64url')),
  unpack: (packed) => Promise.resolve(Buffer.from(packed, 'base64url').toString()),
  core: async (mutant) => {
    const bug = bugs.find((each) => each.mutant === mutant);
    return bug === undefined ? null : (await loadBug(bug.name)).core;
  },
};

/** Asks an engine as the page does. */
export function asking(
  engine = new Engine(),
): <Name extends CommandName>(name: Name, ask: Ask<Name>) => Promise<Answer<Name>> {
  return async (name, ask) => {
    const request = { id: 0, name, ask } as unknown as Request;
    const answer: unknown = await engine.answer(request, host);
    return answer as Answer<typeof name>;
  };
}
