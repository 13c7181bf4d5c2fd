/** A branch as text for elsewhere: a trace, a scenario to read, a test that keeps it, a diagram for a document. */
import { coreRunTrace, describeAction, encodeTrace } from '@quorate/sim';
import type { Branch } from './branch.ts';
import type { ExportForm } from './protocol.ts';
import type { RunSetup } from './setup.ts';
import type { StepRecord } from './step-record.ts';
import { codeVersion } from './version.ts';

/** Beyond so many arrows nobody can read a diagram, and renderers give up. */
const maxArrows = 300;

export function exportBranch(setup: RunSetup, branch: Branch, form: ExportForm): string {
  switch (form) {
    case 'trace':
      return traceText(setup, branch);
    case 'scenario':
      return scenarioText(setup, branch);
    case 'test':
      return testText(setup, branch);
    case 'mermaid':
      return mermaidText(setup, branch.records());
  }
}

function traceText({ title, options, bug, requestEvery }: RunSetup, branch: Branch): string {
  const run = { options, bug, actions: branch.actions(), broken: branch.consequence ?? null };
  const { header, records } = coreRunTrace(run, codeVersion, 'quorate debug');
  const configuration = { ...header.configuration, title, requestEvery };
  return `${[...encodeTrace({ ...header, configuration }, records)].join('\n')}\n`;
}

function scenarioText({ title, options }: RunSetup, branch: Branch): string {
  const lines = branch.records().map(({ step, at, title: what, changes }) => {
    const news = Object.entries(changes).filter(([, value]) => value !== null);
    const after = news.map(([name, value]) => `${name} ${String(value)}`).join(', ');
    return `${String(step).padStart(5)}  ${(at / 1000).toFixed(3).padStart(10)} ms  ${what}${after === '' ? '' : `  (${after})`}`;
  });
  const { violation } = branch;
  const end = violation === null ? [] : ['', `${violation.invariant}: ${violation.first}; but ${violation.second}`];
  return [`# ${title}`, `# ${JSON.stringify(options)}`, ...lines, ...end, ''].join('\n');
}

/** A test of vitest that does the same again, and holds what came of it. */
function testText({ title, options, bug }: RunSetup, branch: Branch): string {
  const { violation } = branch;
  const lines = branch.actions().map((action) => `  ${JSON.stringify(action)}, // ${describeAction(action)}`);
  const expected =
    violation === null
      ? `expect(await run()).toBeNull();`
      : `expect(await run()).toMatchObject({ invariant: ${JSON.stringify(violation.invariant)} });`;
  return [
    `import { type CoreAction, CoreWorld, Invariants, Violation } from '@quorate/sim';`,
    ...(bug === null ? [] : [`import { loadBug } from '@quorate/sim/node';`]),
    `import { expect, test } from 'vitest';`,
    ``,
    `const actions: readonly CoreAction[] = [`,
    ...lines,
    `];`,
    ``,
    `/** What is broken; null for nothing. */`,
    `async function run(): Promise<unknown> {`,
    ...(bug === null ? [] : [`  const { core } = await loadBug(${JSON.stringify(bug)});`]),
    `  const options = ${JSON.stringify(options)} as const;`,
    `  const world = new CoreWorld(${bug === null ? 'options' : '{ ...options, core }'}, [new Invariants()]);`,
    `  try {`,
    `    for (const action of actions) world.carryOut(action);`,
    `  } catch (error) {`,
    `    if (error instanceof Violation) return error;`,
    `    throw error;`,
    `  }`,
    `  return world.broken;`,
    `}`,
    ``,
    `test(${JSON.stringify(violation === null ? `${title} breaks nothing` : `${title} breaks ${violation.invariant}`)}, async () => {`,
    `  ${expected}`,
    `});`,
    ``,
  ].join('\n');
}

function mermaidText({ options }: RunSetup, records: readonly StepRecord[]): string {
  const shown = records.filter(({ isRoutine }) => !isRoutine);
  const lines = shown.slice(0, maxArrows).flatMap(mermaidLines);
  const left = shown.length - maxArrows;
  const end = left > 0 ? [`  Note over n1: ${left} more steps are left out`] : [];
  const total = options.servers + (options.learners ?? 0) + (options.spares ?? 0);
  const names = Array.from({ length: total }, (_, at) => `  participant n${at + 1}`);
  return ['sequenceDiagram', ...names, ...lines, ...end, ''].join('\n');
}

function mermaidLines({ message, isLost, server, kind, title, changes }: StepRecord): readonly string[] {
  const lines: string[] = [];
  if (message !== null) {
    const arrow = isLost ? '-x' : message.kind.endsWith('Reply') ? '-->>' : '->>';
    lines.push(
      `  ${message.from}${arrow}${message.to}: ${message.kind} t${message.term} ${safe(message.summary)}`.trimEnd(),
    );
  } else if (server !== null && (kind === 'crash' || kind === 'restart' || kind === 'propose')) {
    lines.push(`  Note over ${server}: ${safe(title)}`);
  }
  if (changes.role === 'leader' && server !== null) lines.push(`  Note over ${server}: leads`);
  if (changes.commit !== null && server !== null) lines.push(`  Note over ${server}: commit ${changes.commit}`);
  return lines;
}

/** Mermaid ends a line at a semicolon and takes a hash for an entity. */
function safe(text: string): string {
  return text.replaceAll(';', ',').replaceAll('#', '');
}
