/** Dark or light, by the system or by choice, and the colours that canvases need as text. */
import { computed, effect, signal } from '@preact/signals';

export type Theme = 'dark' | 'light';
export type ThemeChoice = Theme | 'system';

const stored = 'quorate-debugger-theme';
const choices: readonly ThemeChoice[] = ['system', 'dark', 'light'];
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const isSystemDark = signal(systemDark.matches);
systemDark.addEventListener('change', ({ matches }) => (isSystemDark.value = matches));

const reduced = matchMedia('(prefers-reduced-motion: reduce)');
/** Nothing moves by itself: marks jump, playing goes step by step. */
export const isMotionReduced = signal(reduced.matches);
reduced.addEventListener('change', ({ matches }) => (isMotionReduced.value = matches));

export const themeChoice = signal<ThemeChoice>(
  choices.find((choice) => choice === localStorage.getItem(stored)) ?? 'system',
);
export const theme = computed<Theme>(() =>
  themeChoice.value === 'system' ? (isSystemDark.value ? 'dark' : 'light') : themeChoice.value,
);

export function nextTheme(): void {
  themeChoice.value = choices[(choices.indexOf(themeChoice.value) + 1) % choices.length] ?? 'system';
}

effect(() => {
  localStorage.setItem(stored, themeChoice.value);
  document.documentElement.dataset['theme'] = theme.value;
});

/** Eight colours that stay apart with every kind of colour vision (after Okabe and Ito), as text and strokes on each ground. */
const termColours: Readonly<Record<Theme, readonly string[]>> = {
  dark: ['#62b8f0', '#f0ac2e', '#35c795', '#e58fbd', '#efe35a', '#ff8652', '#a3a8ff', '#c3c9d2'],
  light: ['#0068ad', '#9a5b00', '#00765a', '#a33a78', '#746800', '#b84300', '#4b55c4', '#525a66'],
};

export interface Palette {
  readonly ground: string;
  readonly raised: string;
  readonly line: string;
  readonly text: string;
  readonly muted: string;
  readonly faint: string;
  readonly accent: string;
  readonly danger: string;
  readonly good: string;
  readonly terms: readonly string[];
}

export const palettes: Readonly<Record<Theme, Palette>> = {
  dark: {
    ground: '#0e1217',
    raised: '#181e26',
    line: '#2b3440',
    text: '#e8edf3',
    muted: '#9aa6b4',
    faint: '#4c5867',
    accent: '#62b8f0',
    danger: '#ff7b6b',
    good: '#35c795',
    terms: termColours.dark,
  },
  light: {
    ground: '#fbfcfd',
    raised: '#ffffff',
    line: '#d5dce4',
    text: '#17202b',
    muted: '#566373',
    faint: '#a9b4c0',
    accent: '#0068ad',
    danger: '#c4281b',
    good: '#00765a',
    terms: termColours.light,
  },
};

export const palette = computed(() => palettes[theme.value]);

export function termColour({ terms, faint }: Palette, term: number): string {
  return term === 0 ? faint : (terms[(term - 1) % terms.length] ?? faint);
}
