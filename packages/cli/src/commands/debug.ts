import { askPage } from '@quorate/processes';
import { UsageError } from '../usage-error.ts';
import { wholeNumber } from './requests.ts';

export async function runDebugSleep(server: string, ms: string): Promise<void> {
  const duration = wholeNumber('MS', ms);
  await askServer('POST', server, `/debug/sleep?ms=${duration}`);
  process.stdout.write(`${server} sleeps for ${duration} ms.\n`);
}

export async function runDebugTopics(server: string, topics: string | undefined): Promise<void> {
  const answer =
    topics === undefined
      ? await askServer('GET', server, '/debug/topics')
      : await askServer('PUT', server, `/debug/topics?topics=${encodeURIComponent(topics === 'none' ? '' : topics)}`);
  const on = typeof answer === 'object' && answer !== null && 'topics' in answer ? answer.topics : [];
  process.stdout.write(`${Array.isArray(on) && on.length > 0 ? on.join(',') : 'none'}\n`);
}

async function askServer(method: 'GET' | 'PUT' | 'POST', server: string, path: string): Promise<unknown> {
  if (!/^[^\s/:]+:\d{1,5}$|^\[[^\]\s]+\]:\d{1,5}$/.test(server)) {
    throw new UsageError(`SERVER is "${server}"; give the client address as host:port, e.g. 127.0.0.1:2379.`);
  }
  return askPage(method, server, path);
}
