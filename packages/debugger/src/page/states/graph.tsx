/** The states of the first depths, a column each: the colour is the highest term, a hexagon has a leader, a ring is not gone on from. */
import type { JSX } from 'preact';
import type { ExplorationView, StateNode } from '../../engine/explore.ts';
import { palette, termColour } from '../theme.ts';
import { chosen } from './exploring.ts';

/** The first depths are far enough apart to follow a line, and many of them still fit. */
const roomWidth = 840;
const [leastColumn, mostColumn] = [90, 240];
const margin = 26;
/** What the picture is to fit into, as long as states can be told apart. */
const roomHeight = 330;
const [leastRow, mostRow] = [8, 22];

export function Graph({ view }: { readonly view: ExplorationView }): JSX.Element {
  const columns: StateNode[][] = [];
  for (const node of view.nodes) (columns[node.depth] ??= []).push(node);
  const tallest = Math.max(1, ...columns.map(({ length }) => length));
  const rowHeight = Math.max(leastRow, Math.min(mostRow, roomHeight / tallest));
  const radius = Math.min(6.5, rowHeight * 0.42);
  const height = 2 * margin + (tallest - 1) * rowHeight;
  const columnWidth = Math.max(leastColumn, Math.min(mostColumn, roomWidth / columns.length));
  const places = new Map<number, readonly [x: number, y: number]>();
  columns.forEach((column, depth) => {
    column.forEach(({ id }, row) => places.set(id, [margin + depth * columnWidth, margin + row * rowHeight]));
  });
  const width = 2 * margin + (columns.length - 1) * columnWidth;
  return (
    <div class="graph">
      <svg width={width} height={height} role="group" aria-label={`Graph of ${view.nodes.length} states`}>
        {view.edges.map(({ from, to }) => {
          const [a, b] = [places.get(from), places.get(to)];
          if (a === undefined || b === undefined) return null;
          const isLit = chosen.value === from || chosen.value === to;
          const bend = columnWidth / 2;
          return (
            <path
              key={`${from}-${to}`}
              class={isLit ? 'edge lit' : 'edge'}
              d={`M${a[0]} ${a[1]}C${a[0] + bend} ${a[1]} ${b[0] - bend} ${b[1]} ${b[0]} ${b[1]}`}
            />
          );
        })}
        {view.nodes.map((node) => (
          <Mark key={node.id} node={node} at={places.get(node.id) ?? [0, 0]} radius={radius} />
        ))}
      </svg>
    </div>
  );
}

function Mark(props: {
  readonly node: StateNode;
  readonly at: readonly [x: number, y: number];
  readonly radius: number;
}): JSX.Element {
  const { node, radius } = props;
  const [x, y] = props.at;
  const { id, term, hasLeader, isGoal, broken, isOpen, depth, step, text } = node;
  const colour = termColour(palette.value, term);
  const choose = (): void => void (chosen.value = id);
  const what = [isGoal ? 'the goal' : '', broken === null ? '' : `${broken} is broken`].filter((word) => word !== '');
  return (
    <g
      class={`state${chosen.value === id ? ' chosen' : ''}`}
      role="button"
      tabindex={0}
      aria-label={`state ${id} at depth ${depth}, ${[...what, step || 'here'].join(', ')}`}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key === 'Enter') choose();
      }}
    >
      <title>{`${step || 'here'}\n${text}`}</title>
      {hasLeader ? (
        <path d={hexagon(x, y, radius * 1.25)} fill={isOpen ? 'none' : colour} stroke={colour} />
      ) : (
        <circle cx={x} cy={y} r={radius} fill={isOpen ? 'none' : colour} stroke={colour} />
      )}
      {(isGoal || broken !== null) && (
        <text x={x + 11} y={y + 4} class={broken === null ? 'goal' : 'broken'}>
          {broken === null ? '★' : `✗ ${broken}`}
        </text>
      )}
    </g>
  );
}

function hexagon(x: number, y: number, radius: number): string {
  const corners = Array.from({ length: 6 }, (_, at) => {
    const angle = (at * Math.PI) / 3 - Math.PI / 2;
    return `${x + radius * Math.cos(angle)} ${y + radius * Math.sin(angle)}`;
  });
  return `M${corners.join('L')}Z`;
}
