/**
 * The language of scenarios (packages/sim/scenarios/README.md): one step a line. Servers have names that the scenario gives them as they
 * take their parts, terms are counted from the leader's that was named last; so it holds for every build in which its steps can happen.
 */
import type { MessageKind } from '@quorate/raft';

export type Step = { readonly line: number; readonly text: string } & StepKind;

export type StepKind =
  | { readonly kind: 'leader'; readonly name: string }
  | { readonly kind: 'follower'; readonly name: string }
  | { readonly kind: 'after'; readonly micros: number }
  | {
      readonly kind: 'sends';
      readonly from: string;
      readonly message: MessageKind;
      readonly to: string;
      /** Above the term of the leader that was named last. */
      readonly termOffset: number;
    }
  | { readonly kind: 'persists'; readonly server: string }
  | { readonly kind: 'leads'; readonly server: string; readonly termOffset: number }
  | { readonly kind: 'follows'; readonly server: string; readonly leader: string }
  | { readonly kind: 'crash'; readonly server: string; readonly how: 'power' | 'process' }
  | { readonly kind: 'start' | 'pause' | 'resume' | 'isolate' | 'free'; readonly server: string }
  /** Others leave so many bytes of the volume. */
  | { readonly kind: 'fill'; readonly server: string; readonly left: number }
  | { readonly kind: 'stall'; readonly server: string; readonly micros: number }
  | { readonly kind: 'cut'; readonly from: string; readonly to: string; readonly how: 'silent' | 'reset' }
  | { readonly kind: 'clog'; readonly from: string; readonly to: string; readonly micros: number }
  | { readonly kind: 'reset'; readonly from: string; readonly to: string }
  | { readonly kind: 'heal' };

export interface Scenario {
  readonly servers: number;
  readonly clients: number;
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** A line that makes no sense, whatever happens. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly code = 'InvalidScenario';
  readonly line: number;

  constructor(line: number, message: string) {
    super(`Line ${line}: ${message}`);
    this.line = line;
  }
}

/** Throws ScenarioError. Lines that begin with '#' are the story; empty ones count for nothing. */
export function parseScenario(source: string): Scenario {
  const settings = { servers: 3, clients: 1, seed: 1 };
  const steps: Step[] = [];
  for (const [position, raw] of source.split('\n').entries()) {
    const text = raw.trim();
    const line = position + 1;
    if (text === '' || text.startsWith('#')) continue;
    const setting = /^(servers|clients|seed) (\d{1,9})$/.exec(text);
    if (setting !== null) {
      if (steps.length > 0) throw new ScenarioError(line, `"${text}" stands behind the first step; put it in front.`);
      settings[setting[1] as keyof typeof settings] = Number(setting[2]);
    } else steps.push({ line, text, ...parseStep(text, line) });
  }
  if (settings.servers < 1 || settings.servers > 9) throw new ScenarioError(1, 'A scenario has 1 to 9 servers.');
  if (steps.length === 0) throw new ScenarioError(1, 'A scenario needs a step.');
  checkNames(steps);
  return { ...settings, steps };
}

type Build = (words: readonly string[], line: number) => StepKind;

const name = '([A-Z][A-Za-z0-9]*)';
const term = 'T(\\+\\d)?';
const duration = '(\\d+(?:us|ms|s))';

/** Each pattern matches a whole line; the words are its groups. */
const grammar: readonly (readonly [pattern: string, build: Build])[] = [
  [`leader ${name}`, ([server = '']) => ({ kind: 'leader', name: server })],
  [`follower ${name}`, ([server = '']) => ({ kind: 'follower', name: server })],
  [`after ${duration}`, ([micros = '']) => ({ kind: 'after', micros: microsOf(micros) })],
  [
    `await ${name} sends (\\w+) to ${name} in ${term}`,
    ([from = '', message = '', to = '', offset = ''], line) => ({
      kind: 'sends',
      from,
      message: messageKind(message, line),
      to,
      termOffset: Number(offset),
    }),
  ],
  [`await ${name} persists`, ([server = '']) => ({ kind: 'persists', server })],
  [
    `await ${name} leads in ${term}`,
    ([server = '', offset = '']) => ({ kind: 'leads', server, termOffset: Number(offset) }),
  ],
  [`await ${name} follows ${name}`, ([server = '', leader = '']) => ({ kind: 'follows', server, leader })],
  [
    `crash ${name} (power|process)`,
    ([server = '', how]) => ({ kind: 'crash', server, how: how === 'power' ? how : 'process' }),
  ],
  [
    `(start|pause|resume|isolate|free) ${name}`,
    ([kind, server = '']) => ({ kind: kind as 'start' | 'pause' | 'resume' | 'isolate' | 'free', server }),
  ],
  [`fill ${name} leaving (\\d{1,9})`, ([server = '', left]) => ({ kind: 'fill', server, left: Number(left) })],
  [`stall ${name} ${duration}`, ([server = '', micros = '']) => ({ kind: 'stall', server, micros: microsOf(micros) })],
  [
    `cut ${name}->${name} (silent|reset)`,
    ([from = '', to = '', how]) => ({ kind: 'cut', from, to, how: how === 'silent' ? how : 'reset' }),
  ],
  [
    `clog ${name}->${name} ${duration}`,
    ([from = '', to = '', micros = '']) => ({ kind: 'clog', from, to, micros: microsOf(micros) }),
  ],
  [`reset ${name}->${name}`, ([from = '', to = '']) => ({ kind: 'reset', from, to })],
  ['heal', () => ({ kind: 'heal' })],
];

function parseStep(text: string, line: number): StepKind {
  for (const [pattern, build] of grammar) {
    const found = new RegExp(`^${pattern}$`).exec(text);
    if (found !== null) return build(found.slice(1), line);
  }
  throw new ScenarioError(line, `"${text}" is no step. packages/sim/scenarios/README.md lists them.`);
}

const messageKinds: readonly MessageKind[] = [
  'preVote',
  'preVoteReply',
  'requestVote',
  'requestVoteReply',
  'appendEntries',
  'appendEntriesReply',
  'heartbeat',
  'heartbeatReply',
  'installSnapshot',
  'installSnapshotReply',
  'readIndex',
  'readIndexReply',
  'propose',
  'proposeReply',
  'timeoutNow',
];

function messageKind(word: string, line: number): MessageKind {
  const kind = messageKinds.find((each) => each === word);
  if (kind === undefined)
    throw new ScenarioError(line, `"${word}" is no kind of message; there are ${messageKinds.join(', ')}.`);
  return kind;
}

function microsOf(text: string): number {
  const unit = text.endsWith('us') ? 1 : text.endsWith('ms') ? 1000 : 1_000_000;
  return Number.parseInt(text, 10) * unit;
}

/** Nobody acts before it was named, and nobody is named twice. */
function checkNames(steps: readonly Step[]): void {
  const known = new Set<string>();
  for (const step of steps) {
    const { kind, line } = step;
    if (kind === 'follower') {
      if (known.has(step.name))
        throw new ScenarioError(line, `${step.name} was named already; give this one another name.`);
      known.add(step.name);
    } else if (kind === 'leader') known.add(step.name);
    else if (kind === 'sends') {
      // Who is not named yet is, by the message.
      known.add(step.from);
      known.add(step.to);
    } else {
      for (const used of namesIn(step)) {
        if (!known.has(used))
          throw new ScenarioError(line, `Nobody is named ${used} yet: begin with "leader ${used}".`);
      }
    }
    if (kind !== 'leader' && !steps.some((each) => each.kind === 'leader' && each.line < line))
      throw new ScenarioError(line, 'Name the leader first: "leader L".');
  }
}

function namesIn(step: Step): readonly string[] {
  const fields = step as Readonly<Partial<Record<'server' | 'from' | 'to' | 'leader', string>>>;
  return [fields.server, fields.from, fields.to, fields.leader].filter((each) => each !== undefined);
}
