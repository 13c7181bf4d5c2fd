/**
 * The files of one experiment: its plan, the raw rows of each cell as they come, and for each cell that has ended a file that says
 * so. A cell without that file is done again, from its beginning; so an evaluation that was interrupted goes on where it stood.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { EvaluationError } from '../errors.ts';
import type { Cell, CellResult, Row, Scale } from '../experiment.ts';
import type { Conditions, HostConditions } from '../report/conditions.ts';

/** What all cells of a directory have in common. */
export interface Plan {
  readonly format: 1;
  readonly experiment: string;
  readonly scale: Scale;
  readonly seed: number;
  /** Where servers run, if not on this machine: hosts, as they were named. */
  readonly hosts?: readonly string[];
}

const PLAN_KEYS = ['format', 'experiment', 'scale', 'seed', 'hosts'] as const;

/** The end of a cell. */
export interface CellEnd {
  readonly notes: readonly string[];
  readonly failure: string | null;
  readonly startedAt: string;
  readonly seconds: number;
  /** One-minute load averages of the machine: other work shows here. */
  readonly load: { readonly before: number; readonly after: number };
  readonly conditions: Conditions;
  /** The hosts that servers ran on; not there if they ran on this machine. */
  readonly hosts?: readonly HostConditions[];
}

export interface StoredCell extends CellResult {
  readonly end: CellEnd;
}

export class ResultsDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Opens or makes the directory of an experiment below `out`.
   * @throws EvaluationError `PlanDiffers` when it holds what another plan measured, `BadDirectory` when it cannot be used
   */
  static open(out: string, plan: Plan, fresh: boolean): ResultsDirectory {
    const directory = new ResultsDirectory(join(out, plan.experiment));
    const before = fresh ? null : directory.#plan();
    if (fresh) rmSync(directory.path, { recursive: true, force: true });
    // A plan that nothing has been measured of is no plan.
    if (before !== null && directory.#hasCells()) directory.#compare(before, plan);
    try {
      mkdirSync(join(directory.path, 'cells'), { recursive: true });
      writeFileSync(join(directory.path, 'plan.json'), `${JSON.stringify(plan, null, 2)}\n`);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `Results cannot be written below ${out}: ${reason}. Give another directory with --out.`;
      throw new EvaluationError('BadDirectory', message, { cause });
    }
    return directory;
  }

  /** For the report: what an earlier run left; null if there is nothing. */
  static find(out: string, experiment: string): { readonly directory: ResultsDirectory; readonly plan: Plan } | null {
    const directory = new ResultsDirectory(join(out, experiment));
    const plan = directory.#plan();
    return plan === null ? null : { directory, plan };
  }

  #plan(): Plan | null {
    const text = readIfThere(join(this.path, 'plan.json'));
    return text === null ? null : (parse(text, this.path, isPlan) as Plan);
  }

  #hasCells(): boolean {
    const cells = join(this.path, 'cells');
    return existsSync(cells) && readdirSync(cells).some((name) => name.endsWith('.json'));
  }

  #compare(before: Plan, plan: Plan): void {
    const told = (of: Plan, key: (typeof PLAN_KEYS)[number]): string =>
      key === 'hosts' ? (of.hosts ?? ['this machine']).join(',') : String(of[key]);
    const differing = PLAN_KEYS.filter((key) => told(before, key) !== told(plan, key));
    if (differing.length === 0) return;
    const what = differing.map((key) => `${key} ${told(before, key)}, not ${told(plan, key)}`).join('; ');
    throw new EvaluationError(
      'PlanDiffers',
      `${this.path} holds results of another plan (${what}). Go on with the flags of then, give another --out, or begin anew with --fresh.`,
    );
  }

  /** What a cell recorded, if it has ended. */
  read(cell: Pick<Cell, 'key' | 'settings'>): StoredCell | null {
    const text = readIfThere(this.#file(cell.key, 'json'));
    if (text === null) return null;
    const end = parse(text, this.#file(cell.key, 'json'), isCellEnd) as CellEnd;
    const { notes, failure } = end;
    return { key: cell.key, settings: cell.settings, rows: this.#rows(cell.key), notes, failure, end };
  }

  #rows(key: string): readonly Row[] {
    const file = this.#file(key, 'ndjson');
    const lines = (readIfThere(file) ?? '').split('\n').filter((line) => line !== '');
    return lines.map((line) => parse(line, file, isRow) as Row);
  }

  /** Begins a cell: whatever an interrupted attempt left is gone. */
  begin(key: string): RowWriter {
    rmSync(this.#file(key, 'json'), { force: true });
    return new RowWriter(this.#file(key, 'ndjson'));
  }

  /** The cell has ended, whether well or not. Written beside and moved: it is there whole, or not at all. */
  end(key: string, end: CellEnd): void {
    const file = this.#file(key, 'json');
    writeFileSync(`${file}.new`, `${JSON.stringify(end, null, 2)}\n`);
    renameSync(`${file}.new`, file);
  }

  write(name: string, content: string | Uint8Array): void {
    const file = join(this.path, name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
  }

  #file(key: string, extension: string): string {
    return join(this.path, 'cells', `${key}.${extension}`);
  }
}

/** Appends rows to a file, each at once. */
export class RowWriter {
  readonly #descriptor: number;
  count = 0;

  constructor(file: string) {
    this.#descriptor = openSync(file, 'w');
  }

  write(row: Row): void {
    writeSync(this.#descriptor, `${JSON.stringify(row)}\n`);
    this.count += 1;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}

function parse(text: string, file: string, isRight: (value: unknown) => boolean): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(file, cause);
  }
  if (!isRight(value)) throw damaged(file, null);
  return value;
}

function damaged(file: string, cause: unknown): EvaluationError {
  const message = `${file} does not hold what an experiment writes. Remove it, or begin anew with --fresh.`;
  return new EvaluationError('BadResults', message, cause === null ? {} : { cause });
}

function isPlan(value: unknown): boolean {
  return (
    isRecord(value) && value['format'] === 1 && typeof value['scale'] === 'string' && typeof value['seed'] === 'number'
  );
}

function isCellEnd(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value['notes']) && isRecord(value['load']) && isRecord(value['conditions']);
}

function isRow(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((field) => field === null || typeof field !== 'object');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
