/** Plots over the time of a run, as SVG that needs nothing else. */
import type { ReportData } from './report.ts';

const WIDTH = 1100;
const LEFT = 88;
const RIGHT = 12;
const PLOT = WIDTH - LEFT - RIGHT;

const STATE_COLOURS: Readonly<Record<string, string>> = {
  leader: '#2f6fde',
  follower: '#c9d6ea',
  candidate: '#e8b23a',
  preCandidate: '#f2d98c',
  silent: '#8a8a8a',
  down: '#2b2b2b',
};

export function plots(data: ReportData): string {
  const span = Math.max(1, data.seconds.length) * 1_000_000;
  const x = (micros: number): number => LEFT + (Math.min(micros, span) / span) * PLOT;
  return [
    figure('Faults', faultBands(data, x), axis(span, x)),
    figure(`Servers ${legend(Object.entries(STATE_COLOURS))}`, serverLanes(data, x), axis(span, x)),
    figure(
      `Answered calls a second ${legend([
        ['writes', '#2f6fde'],
        ['reads', '#8fb3ee'],
      ])}`,
      throughput(data, x),
      axis(span, x),
    ),
    figure(
      `Failed calls a second ${legend([
        ['refused', '#e8b23a'],
        ['unknown', '#c8443a'],
      ])}`,
      failures(data, x),
      axis(span, x),
    ),
    figure(
      `Latency of writes, ms ${legend([
        ['median', '#2f6fde'],
        ['p99', '#c8443a'],
      ])}`,
      latency(data, x),
      axis(span, x),
    ),
  ].join('\n');
}

interface Drawing {
  readonly height: number;
  readonly body: string;
}
type X = (micros: number) => number;

function figure(title: string, { height, body }: Drawing, scale: string): string {
  return `<h2>${title}</h2>
<svg viewBox="0 0 ${WIDTH} ${height + 22}" role="img">${body}<g transform="translate(0 ${height})">${scale}</g></svg>`;
}

function legend(entries: readonly (readonly [string, string])[]): string {
  return entries
    .map(([name, colour]) => `<span class="key"><i style="background:${colour}"></i>${name}</span>`)
    .join('');
}

function axis(span: number, x: X): string {
  const seconds = span / 1_000_000;
  const step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find((each) => seconds / each <= 14) ?? 7200;
  let marks = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="0.5" y2="0.5" class="axis"/>`;
  for (let at = 0; at <= seconds; at += step) {
    const left = x(at * 1_000_000).toFixed(1);
    marks += `<line x1="${left}" x2="${left}" y1="0" y2="4" class="axis"/>`;
    const label = `${Math.floor(at / 60)}:${String(at % 60).padStart(2, '0')}`;
    marks += `<text x="${left}" y="17" text-anchor="middle">${label}</text>`;
  }
  return marks;
}

const LANE = 15;

function faultBands({ faults, kinds }: ReportData, x: X): Drawing {
  const lanes = kinds.map((kind, at) => {
    const bars = faults
      .filter((fault) => fault.kind === kind)
      .map(({ from, to, targets }) => bar(x(from), x(to ?? from), at, '#c8443a', `${kind} ${targets.join(', ')}`));
    return label(kind, at) + bars.join('');
  });
  return { height: kinds.length * LANE + 4, body: lanes.join('') };
}

function serverLanes({ servers }: ReportData, x: X): Drawing {
  const names = [...new Set(servers.map(({ server }) => server))].toSorted();
  const lanes = names.map((name, at) => {
    const own = servers.filter(({ server }) => server === name);
    const bars = own.map(({ state, term, from }, n) => {
      const end = own[n + 1]?.from ?? own[n]?.to ?? from;
      return bar(x(from), x(end), at, STATE_COLOURS[state] ?? '#ffffff', `${name}: ${state}, term ${term}`);
    });
    return label(name, at) + bars.join('');
  });
  return { height: names.length * LANE + 4, body: lanes.join('') };
}

function label(text: string, lane: number): string {
  return `<text x="${LEFT - 6}" y="${lane * LANE + 12}" text-anchor="end">${text}</text>`;
}

function bar(from: number, to: number, lane: number, colour: string, title: string): string {
  const width = Math.max(1.5, to - from).toFixed(1);
  return `<rect x="${from.toFixed(1)}" y="${lane * LANE + 2}" width="${width}" height="${LANE - 3}" fill="${colour}"><title>${title}</title></rect>`;
}

const HEIGHT = 130;

function throughput({ seconds, gaps }: ReportData, x: X): Drawing {
  const top = niceTop(Math.max(1, ...seconds.map(({ reads, writes }) => reads + writes)));
  const y = (value: number): number => HEIGHT - (value / top) * (HEIGHT - 8);
  const total = seconds.map(({ reads, writes }) => reads + writes);
  const shades = gaps.map(({ from, to }) => {
    const width = Math.max(1, x(to) - x(from)).toFixed(1);
    const text = `no write answered for ${((to - from) / 1e6).toFixed(1)} s`;
    return `<rect x="${x(from).toFixed(1)}" y="0" width="${width}" height="${HEIGHT}" class="gap"><title>${text}</title></rect>`;
  });
  const areas =
    area(total, y, x, '#8fb3ee') +
    area(
      seconds.map(({ writes }) => writes),
      y,
      x,
      '#2f6fde',
    );
  return { height: HEIGHT, body: shades.join('') + grid(top, y) + areas };
}

function failures({ seconds }: ReportData, x: X): Drawing {
  const height = 70;
  const top = niceTop(Math.max(1, ...seconds.map(({ refused, unknown }) => refused + unknown)));
  const y = (value: number): number => height - (value / top) * (height - 8);
  const both = area(
    seconds.map(({ refused, unknown }) => refused + unknown),
    y,
    x,
    '#e8b23a',
  );
  return {
    height,
    body:
      grid(top, y) +
      both +
      area(
        seconds.map(({ unknown }) => unknown),
        y,
        x,
        '#c8443a',
      ),
  };
}

/** Logarithmic, from 0.1 ms to 10 s. */
function latency({ seconds }: ReportData, x: X): Drawing {
  const y = (ms: number): number => HEIGHT - ((Math.log10(Math.max(0.1, ms)) + 1) / 5) * (HEIGHT - 8);
  const lines = [1, 10, 100, 1000, 10_000].map((ms) => gridLine(ms, y(ms)));
  const curve = (of: 'p50' | 'p99', colour: string): string => {
    let path = '';
    let isDown = false;
    seconds.forEach((second, at) => {
      const value = second[of];
      if (value !== null) path += `${isDown ? 'L' : 'M'}${x((at + 0.5) * 1e6).toFixed(1)} ${y(value).toFixed(1)}`;
      isDown = value !== null;
    });
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.4"/>`;
  };
  return { height: HEIGHT, body: lines.join('') + curve('p99', '#c8443a') + curve('p50', '#2f6fde') };
}

function area(values: readonly number[], y: (value: number) => number, x: X, colour: string): string {
  const steps = values.map(
    (value, at) => `H${x(at * 1e6).toFixed(1)}V${y(value).toFixed(1)}H${x((at + 1) * 1e6).toFixed(1)}`,
  );
  return `<path d="M${LEFT} ${y(0)}${steps.join('')}V${y(0)}Z" fill="${colour}"/>`;
}

function grid(top: number, y: (value: number) => number): string {
  return [top / 2, top].map((value) => gridLine(value, y(value))).join('');
}

function gridLine(value: number, at: number): string {
  const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}" class="grid"/>`;
  return `${line}<text x="${LEFT - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${value}</text>`;
}

function niceTop(value: number): number {
  for (let unit = 2; ; unit *= 10) for (const factor of [1, 2.5, 5]) if (unit * factor >= value) return unit * factor;
}
