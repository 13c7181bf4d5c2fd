/** The lines of the time line, where branches part, and what stands out on them. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { BranchMark, BranchView } from '../../engine/protocol.ts';
import { inset, rowHeight } from './measures.ts';

interface Props {
  readonly branches: readonly BranchView[];
  readonly current: number;
  readonly step: number;
  readonly longest: number;
}

const glyphs: Readonly<Record<BranchMark['kind'], string>> = {
  crash: '×',
  restart: '↑',
  partition: '∥',
  heal: '=',
  leader: '⬢',
  violation: '✗',
};
/** Marks closer than this hide each other; the more important one stays. */
const markRoom = 12;
const rank: readonly BranchMark['kind'][] = ['violation', 'crash', 'partition', 'leader', 'heal', 'restart'];

export function Tracks({ branches, current, step, longest }: Props): JSX.Element {
  const svg = useRef<SVGSVGElement>(null);
  const width = useSignal(600);
  useEffect(() => {
    const element = svg.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => (width.value = entry?.contentRect.width ?? width.value));
    observer.observe(element);
    return () => observer.disconnect();
  }, [width]);
  const at = (each: number): number => inset + (each / longest) * (width.value - 2 * inset);
  const rowOf = (id: number): number => (branches.findIndex((branch) => branch.id === id) + 0.5) * rowHeight;
  return (
    <svg ref={svg} class="lines" height={Math.max(1, branches.length) * rowHeight} aria-hidden="true">
      {branches.map((branch) => {
        const y = rowOf(branch.id);
        const isCurrent = branch.id === current;
        return (
          <g key={branch.id} class={isCurrent ? 'row current' : 'row'}>
            {branch.parent !== null && <path class="fork" d={`M${at(branch.forkAt)} ${rowOf(branch.parent)}V${y}`} />}
            <path class="line" d={`M${at(branch.parent === null ? 0 : branch.forkAt)} ${y}H${at(branch.length)}`} />
            {isCurrent && (
              <path
                class="line past"
                d={`M${at(Math.min(step, branch.parent === null ? 0 : branch.forkAt))} ${y}H${at(step)}`}
              />
            )}
            {sparse(branch.marks, at).map((mark) => (
              <text key={`${mark.kind}${mark.step}`} class={`mark ${mark.kind}`} x={at(mark.step)} y={y + 4}>
                {glyphs[mark.kind]}
                <title>{`step ${mark.step}: ${mark.text}`}</title>
              </text>
            ))}
            {isCurrent && <circle class="head" cx={at(step)} cy={y} r={5.5} />}
          </g>
        );
      })}
    </svg>
  );
}

function sparse(marks: readonly BranchMark[], at: (step: number) => number): readonly BranchMark[] {
  const kept: BranchMark[] = [];
  for (const kind of rank) {
    for (const mark of marks) {
      if (mark.kind !== kind || kept.some((other) => Math.abs(at(other.step) - at(mark.step)) < markRoom)) continue;
      kept.push(mark);
    }
  }
  return kept;
}
