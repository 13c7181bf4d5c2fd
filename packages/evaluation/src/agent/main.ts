/**
 * The agent as a process on a host: requests come in on standard input, answers go out on standard output. It ends when nobody holds its input
 * any more, however that came about, and takes with it what it started and the directory that was made for it.
 */
import { dirname } from 'node:path';
import { removeAbandoned } from '@quorate/processes';
import { conditionsOf } from '../report/conditions.ts';
import { Agent } from './agent.ts';
import { eachLine } from './lines.ts';
import {
  type AgentMessage,
  type AgentRequest,
  type AgentSettings,
  HOST_DIRECTORY_KIND,
  MAX_LINE_BYTES,
  SILENCE_LIMIT_MS,
} from './methods.ts';

const settings = JSON.parse(process.argv[2] ?? '') as AgentSettings;

function say(message: AgentMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const agent = new Agent(settings, say);
let ending = false;

function end(): void {
  if (ending) return;
  ending = true;
  agent.end().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
}

let silence = setTimeout(end, SILENCE_LIMIT_MS);

async function answer({ call, method, args }: AgentRequest): Promise<void> {
  try {
    const act = agent[method].bind(agent) as (...given: readonly unknown[]) => Promise<unknown>;
    say({ reply: call, result: await act(...args) });
  } catch (error) {
    say({ reply: call, error: error instanceof Error ? error.message : String(error) });
  }
}

process.stdin.on('end', end).on('error', end).on('close', end);
// Nobody reads any more: the input ends as well, and that is what counts.
process.stdout.on('error', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
eachLine(process.stdin, MAX_LINE_BYTES, (line) => {
  clearTimeout(silence);
  silence = setTimeout(end, SILENCE_LIMIT_MS);
  void answer(JSON.parse(line) as AgentRequest);
});

const cleared = removeAbandoned(HOST_DIRECTORY_KIND, undefined, dirname(settings.root));
say({ ready: { node: process.execPath, conditions: conditionsOf(settings.version, settings.root), cleared } });
