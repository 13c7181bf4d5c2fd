/** The cluster as a branch leaves it, small, while somebody points at the branch's name. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { shortName } from '../../engine/names.ts';
import type { BranchView } from '../../engine/protocol.ts';
import type { ServerView } from '../../engine/views.ts';
import { plural } from '../format.ts';
import { ask } from '../session.ts';
import { palette, termColour } from '../theme.ts';

interface Glimpsed {
  readonly branch: BranchView;
  readonly servers: readonly ServerView[];
  readonly x: number;
  readonly y: number;
}

const glimpsed = signal<Glimpsed | null>(null);
/** Whoever points elsewhere meanwhile is not shown what was asked for before. */
let asked = 0;

export async function glimpse(branch: BranchView, element: HTMLElement): Promise<void> {
  const turn = ++asked;
  const { left, top } = element.getBoundingClientRect();
  const servers = await ask('glimpse', { branch: branch.id });
  if (servers !== null && turn === asked) glimpsed.value = { branch, servers, x: left, y: top };
}

export function noGlimpse(): void {
  asked += 1;
  glimpsed.value = null;
}

const size = 150;

export function Glimpse(): JSX.Element | null {
  if (glimpsed.value === null) return null;
  const { branch, servers, x, y } = glimpsed.value;
  const { name, length, violation } = branch;
  return (
    <div class="glimpse" role="tooltip" style={{ left: `${x}px`, bottom: `${innerHeight - y + 6}px` }}>
      <b>{name}</b>
      <svg width={size} height={size} role="img" aria-label={wordsOf(servers)}>
        {servers.map((server, at) => (
          <Thumbnail key={server.id} server={server} angle={(at * 2 * Math.PI) / servers.length - Math.PI / 2} />
        ))}
      </svg>
      <span class="hint">
        {plural(length, 'step')}
        {violation !== null && `; ✗ ${violation.invariant} in step ${violation.step}`}
      </span>
    </div>
  );
}

function wordsOf(servers: readonly ServerView[]): string {
  return servers
    .map(({ id, condition, role, term }) => `${shortName(id)} ${condition === 'down' ? 'down' : `${role} t${term}`}`)
    .join(', ');
}

const radius = 15;

function Thumbnail({ server, angle }: { readonly server: ServerView; readonly angle: number }): JSX.Element {
  const { id, condition, role, term, log } = server;
  const x = size / 2 + (size / 2 - radius - 8) * Math.cos(angle);
  const y = size / 2 + (size / 2 - radius - 8) * Math.sin(angle);
  const isDown = condition === 'down';
  const colour = isDown ? palette.value.faint : termColour(palette.value, term);
  const isLeader = role === 'leader' && !isDown;
  return (
    <g>
      {isDown ? (
        <rect x={x - 12} y={y - 12} width={24} height={24} fill="none" stroke={colour} stroke-dasharray="3 3" />
      ) : (
        <circle
          cx={x}
          cy={y}
          r={radius}
          fill={isLeader ? colour : 'none'}
          stroke={colour}
          stroke-width={isLeader ? 3 : 1.5}
        />
      )}
      <text x={x} y={y - 1} class={isLeader ? 'inside leads' : 'inside'}>
        {shortName(id)}
      </text>
      <text x={x} y={y + 9} class={isLeader ? 'inside leads' : 'inside'}>
        {isDown ? 'down' : `${log.commit}/${log.last}`}
      </text>
    </g>
  );
}
