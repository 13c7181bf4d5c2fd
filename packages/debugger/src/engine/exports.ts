/** A branch as text for elsewhere: a trace, a scenario to read, a test that keeps it, a diagram for a document. */
import { describeAction, encodeTrace, traceFormat, traceVersion } from '@quorate/sim';
import type { Branch } from './branch.ts';
import type { ExportForm } from './protocol.ts';
import type { RunSetup } from './setup.ts';
import type { StepRecord } from './step-record.ts';
import { asPlain } from './plain.ts';
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

function traceText(setup: RunSetup, branch: Branch): string {
  const header = {
    format: traceFormat,
    version: traceVersion,
    codeVersion,
    createdBy: 'quorate debug',
    configuration: {
      world: 'cores',
      title: setup.title,
      options: asPlain(setup.options),
      requestEvery: setup.requestEvery,
      violation: branch.violation === null ? null : asPlain(branch.violation),
    },
  } as const;
  const records = branch.actions().map((action, at) => ({
    kind: 'decision' as const,
    at: branch.record(at + 1)?.at ?? 0,
    step: at,
    action: asPlain(action),
  }));
  return `${[...encodeTrace(header, records)].join('\n')}\n`;
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
function testText({ title, options }: RunSetup, branch: Branch): string {
  const { violation } = branch;
  const lines = branch.actions().map((action) => `  ${JSON.stringify(action)}, // ${describeAction(action)}`);
  const expected =
    violation === null
      ? `expect(run()).toBeNull();`
      : `expect(run()).toMatchObject({ invariant: ${JSON.stringify(violation.invariant)} });`;
  return [
    `import { type CoreAction, CoreWorld, Invariants, Violation } from '@quorate/sim';`,
    `import { expect, test } from 'vitest';`,
    ``,
    `const actions: readonly CoreAction[] = [`,
    ...lines,
    `];`,
    ``,
    `/** What is broken; null for nothing. */`,
    `function run(): unknown {`,
    `  const world = new CoreWorld(${JSON.stringify(options)}, [new Invariants()]);`,
    `  try {`,
    `    for (const action of actions) world.carryOut(action);`,
    `  } catch (error) {`,
    `    if (error instanceof Violation) return error;`,
    `    throw error;`,
    `  }`,
    `  return world.broken;`,
    `}`,
    ``,
    `test(${JSON.stringify(violation === null ? `${title} breaks nothing` : `${title} breaks ${violation.invariant}`)}, () => {`,
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
