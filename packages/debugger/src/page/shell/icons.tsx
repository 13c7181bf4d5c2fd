/** The signs of the transport, drawn: fonts do not agree on them. */
import type { JSX } from 'preact';

const paths = {
  first: 'M4 3v10M13 3 6 8l7 5Z',
  back: 'M11 3 4.5 8l6.5 5Z',
  playBack: 'M8 3 2 8l6 5ZM14 3 8 8l6 5Z',
  play: 'M2 3l6 5-6 5ZM8 3l6 5-6 5Z',
  forward: 'M5 3l6.5 5L5 13Z',
  last: 'M12 3v10M3 3l7 5-7 5Z',
  pause: 'M5 3v10M11 3v10',
  dark: 'M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5Z',
  light:
    'M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1',
  system: 'M2.5 3.5h11v7h-11ZM6 13.5h4M8 10.5v3',
} as const;
export type IconName = keyof typeof paths;

const filled: ReadonlySet<IconName> = new Set(['first', 'back', 'playBack', 'play', 'forward', 'last']);

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path
        d={paths[name]}
        fill={filled.has(name) ? 'currentColor' : 'none'}
        stroke="currentColor"
        stroke-width={name === 'pause' ? 2.6 : 1.5}
        stroke-linejoin="round"
        stroke-linecap="round"
      />
    </svg>
  );
}
