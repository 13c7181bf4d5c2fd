/** What branches.mjs exports, for its test. */
export interface Branch {
  readonly at: number;
  readonly unless: number | null;
  readonly what: string;
  readonly guards: boolean;
  readonly inside: readonly Branch[];
}

export function branchesOf(path: string, code: string): readonly Branch[];

interface CountedFunction {
  readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
}
export function counterOf(functions: readonly CountedFunction[]): (offset: number) => number;

export function judge(
  branches: readonly Branch[],
  count: (offset: number) => number,
): { readonly total: number; readonly taken: number; readonly missed: readonly Branch[] };
