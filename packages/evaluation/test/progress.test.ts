import { describe, expect, it } from 'vitest';
import { checkRange, portSource } from '../src/harness/port-range.ts';
import { figureText, text } from '../src/report/page.ts';
import { duration, Progress } from '../src/run/progress.ts';
import { codeOf } from './support/errors.ts';

describe('Progress', () => {
  it('corrects its estimate by what cells really took', () => {
    const lines: string[] = [];
    const progress = new Progress({ line: (line) => lines.push(line), say: (line) => lines.push(line) }, 100);
    expect(progress.secondsLeft).toBe(100);
    progress.begin('the first');
    progress.end(25, 50);
    expect(progress.secondsLeft).toBe(150);
    progress.begin('the second');
    progress.end(75, 75);
    expect(progress.secondsLeft).toBe(0);
    expect(lines).toEqual([
      `${'░'.repeat(24)} 0 %, about 2 min left: the first`,
      `${'█'.repeat(6)}${'░'.repeat(18)} 25 %, about 3 min left: the second`,
    ]);
  });

  it('says times as people do', () => {
    expect([0, 45, 90, 3600, 5400].map(duration)).toEqual(['1 s', '45 s', '2 min', '60 min', '1.5 h']);
  });
});

describe('A range of ports', () => {
  it('that is too short is refused before anything starts', () => {
    expect(codeOf(() => checkRange({ from: 24_000, to: 24_003 }, 3))).toBe('TooFewPorts');
  });

  it('gives free ports of its own and no others', async () => {
    const ports = await portSource({ from: 24_000, to: 24_400 })(9);
    expect(new Set(ports).size).toBe(9);
    for (const port of ports) expect(port >= 24_000 && port <= 24_400).toBe(true);
  });
});

describe('The page', () => {
  it('shows four digits and no exponents', () => {
    expect([0.00123, 0.5, 12.3456, 1234.56, 100].map(figureText)).toEqual(['0.001', '0.500', '12.35', '1235', '100']);
  });

  it('lets nothing that was measured become markup', () => {
    expect(text('<b>"a" & b</b>')).toBe('&lt;b&gt;&quot;a&quot; &amp; b&lt;/b&gt;');
  });
});
