/** `quorate explain`: asks every endpoint what it waits for, and why. */
import { askPage, PageError } from '@quorate/processes';
import { toJson } from '../output/json.ts';
import { parseDuration } from './duration.ts';
import { type ClientFlags, endpointsOf, print } from './session.ts';

interface Explanation {
  readonly name: string;
  readonly role: string;
  readonly term: number;
  readonly leader: string | null;
  readonly findings: readonly {
    readonly topic: string;
    readonly code: string;
    readonly text: string;
    readonly advice: string | null;
  }[];
}

type Answer = { readonly endpoint: string } & ({ readonly explanation: Explanation } | { readonly problem: string });

export async function runExplain(flags: ClientFlags): Promise<void> {
  const timeout = parseDuration('--command-timeout', flags.commandTimeout);
  const answers = await Promise.all(endpointsOf(flags).map(async (endpoint) => ask(endpoint, timeout)));
  if (flags.writeOut === 'json') print(toJson(answers));
  else print(answers.map(show).join('\n\n'));
  if (answers.some((answer) => 'problem' in answer)) process.exitCode = 1;
}

async function ask(endpoint: string, timeoutMs: number): Promise<Answer> {
  const address = endpoint.replace(/^http:\/\//, '').replace(/\/$/, '');
  try {
    const page = await askPage('GET', address, '/debug/explain', timeoutMs);
    if (isExplanation(page)) return { endpoint, explanation: page };
    return { endpoint, problem: 'it answers, but not as this version expects' };
  } catch (error) {
    // Unreachable is an answer here: most likely it is why the others wait.
    if (error instanceof PageError || (error instanceof Error && 'code' in error))
      return { endpoint, problem: error.message };
    throw error;
  }
}

function isExplanation(page: unknown): page is Explanation {
  return (
    typeof page === 'object' && page !== null && 'findings' in page && Array.isArray(page.findings) && 'role' in page
  );
}

function show(answer: Answer): string {
  if ('problem' in answer) return `${answer.endpoint}: no answer: ${answer.problem}`;
  const { name, role, term, leader, findings } = answer.explanation;
  const led = leader === null ? 'no leader known' : `led by ${leader}`;
  const heading = `${answer.endpoint} (${name}): ${role} in term ${term}, ${led}`;
  if (findings.length === 0) return `${heading}\n  Nothing waits here.`;
  const lines = findings.map(
    ({ topic, text, advice }) => `  ${topic}: ${text}${advice === null ? '' : `\n    ${advice}`}`,
  );
  return [heading, ...lines].join('\n');
}
