/** The worker: holds the session, answers one request after the other. What takes long gives way to its end now and then. */
import type { FromWorker, Request, ToWorker } from '../engine/protocol.ts';
import { Engine } from '../engine/engine.ts';
import { core } from './cores.ts';
import { pack, unpack } from './pack.ts';

const engine = new Engine();
let isCancelled = false;
let queue: Promise<void> = Promise.resolve();

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if ('cancel' in data) isCancelled = true;
  else queue = queue.then(() => answer(data));
});

async function answer(request: Request): Promise<void> {
  const { id } = request;
  isCancelled = false;
  try {
    const answered = await engine.answer(request, {
      progress: (progress) => send({ id, progress }),
      breathe: () => new Promise((resolve) => setTimeout(resolve, 0)),
      isCancelled: () => isCancelled,
      pack,
      unpack,
      core,
    });
    send({ id, answer: answered });
  } catch (error) {
    send({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

function send(message: FromWorker): void {
  postMessage(message);
}
