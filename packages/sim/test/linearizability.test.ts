import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  checkLinearizability,
  explainHtml,
  linearize,
  type Model,
  type Operation,
  RandomStream,
  type Timed,
} from '@quorate/sim';
import { describe, expect, test } from 'vitest';

// A register: the smallest thing that can be linearizable or not.
type Register =
  | { readonly kind: 'write'; readonly value: number }
  | { readonly kind: 'read'; readonly value: number | null }
  | { readonly kind: 'cas'; readonly from: number; readonly to: number; readonly ok: boolean | null };

const register: Model<Register, number | null> = {
  initial: null,
  step: (state, operation) => {
    switch (operation.kind) {
      case 'write':
        return [operation.value];
      case 'read':
        return operation.value === state ? [state] : [];
      case 'cas':
        if (operation.ok === null) return state === operation.from ? [operation.to] : [state];
        return operation.ok === (state === operation.from) ? [operation.ok ? operation.to : state] : [];
    }
  },
  identify: (state) => String(state),
};

describe('the search agrees with trying every order', () => {
  test.each([1, 2, 3, 4])('on small random histories, %i', (seed) => {
    const stream = new RandomStream(seed);
    const verdicts = { ok: 0, violation: 0 };
    for (let round = 0; round < 1500; round++) {
      const history = randomHistory(stream);
      const expected = bruteForce(history) ? 'ok' : 'violation';
      const { kind } = linearize(register, history);
      expect(kind, JSON.stringify(history)).toBe(expected);
      verdicts[expected]++;
    }
    expect(Math.min(verdicts.ok, verdicts.violation)).toBeGreaterThan(150);
  });

  test('and gives an order that explains the answers', () => {
    const stream = new RandomStream(9);
    for (let round = 0; round < 500; round++) {
      const history = randomHistory(stream);
      const verdict = linearize(register, history);
      if (verdict.kind === 'ok') expect(explains(history, verdict.order)).toBe(true);
    }
  });
});

test('a search without the means to end says that it does not know', () => {
  const history = Array.from({ length: 14 }, (_, value): Timed<Register> => {
    return { operation: { kind: 'write', value }, called: 0, returned: 10 };
  });
  history.push({ operation: { kind: 'read', value: 99 }, called: 11, returned: 12 });
  expect(linearize(register, history, 500)).toMatchObject({ kind: 'unknown' });
});

// Recorded by Jepsen; not part of this project, so looked for beside it.
const recorded = fileURLToPath(new URL('../../../../shared/data/jepsen-etcd/', import.meta.url));
if (existsSync(recorded)) {
  const verdicts = JSON.parse(readFileSync(`${recorded}verdicts.json`, 'utf8')) as Record<string, boolean>;
  const files = readdirSync(recorded).filter((name) => name.endsWith('.log'));
  test(`the verdicts on ${files.length} recorded histories of etcd`, () => {
    for (const file of files) {
      const { kind } = linearize(register, parseJepsen(readFileSync(recorded + file, 'utf8')));
      expect(kind, file).toBe(
        verdicts[file] === true || verdicts[file.replace('.log', '')] === true ? 'ok' : 'violation',
      );
    }
  });
}

describe('the key-value store', () => {
  const put = (
    client: number,
    key: string,
    value: string,
    called: number,
    returned: number,
    revision: number,
  ): Operation => ({
    client,
    request: { kind: 'put', key, value },
    called,
    returned,
    outcome: { kind: 'ok', response: { kind: 'put', revision, previous: null } },
  });
  const get = (
    client: number,
    called: number,
    returned: number,
    revision: number,
    value: string | null,
  ): Operation => ({
    client,
    request: { kind: 'range', key: 'a', rangeEnd: '', revision: 0, limit: 0, serializable: false },
    called,
    returned,
    outcome: {
      kind: 'ok',
      response: {
        kind: 'range',
        revision,
        count: value === null ? 0 : 1,
        more: false,
        kvs: value === null ? [] : [{ key: 'a', value, createRevision: 2, modRevision: 2, version: 1 }],
      },
    },
  });
  const kinds = (history: readonly Operation[]): readonly string[] =>
    checkLinearizability(history).map(({ verdict }) => verdict.kind);

  test('a read may show a write that is under way, or not', () => {
    expect(kinds([put(1, 'a', 'x', 0, 10, 2), get(2, 5, 6, 2, 'x')])).toEqual(['ok']);
    expect(kinds([put(1, 'a', 'x', 0, 10, 2), get(2, 5, 6, 1, null)])).toEqual(['ok']);
  });

  test('a read must show a write that has ended', () => {
    expect(kinds([put(1, 'a', 'x', 0, 4, 2), get(2, 5, 6, 1, null)])).toEqual(['violation']);
  });

  test('what one read has shown another cannot unsee', () => {
    const write = put(1, 'a', 'x', 0, 20, 2);
    expect(kinds([write, get(2, 5, 6, 2, 'x'), get(3, 7, 8, 1, null)])).toEqual(['violation']);
  });

  test('a write without an answer may take effect late, or never', () => {
    const open: Operation = {
      ...put(1, 'a', 'x', 0, 0, 2),
      returned: null,
      outcome: { kind: 'unknown', code: 'deadline' },
    };
    expect(kinds([open, get(2, 5, 6, 1, null), get(2, 7, 8, 2, 'x')])).toEqual(['ok']);
    expect(kinds([open, get(2, 5, 6, 1, null)])).toEqual(['ok']);
    expect(kinds([open, get(2, 5, 6, 2, 'x'), get(2, 7, 8, 2, null)])).toEqual(['violation']);
  });

  test('a revision that does not grow is no write', () => {
    expect(kinds([put(1, 'a', 'x', 0, 1, 3), { ...put(2, 'a', 'y', 2, 3, 3) }])).toEqual(['violation']);
  });

  test('a violation is explained on a page that loads nothing; what is in order needs none', () => {
    const [part] = checkLinearizability([put(1, 'a', '<x>', 0, 4, 2), get(2, 5, 6, 2, '<x>'), get(2, 7, 8, 1, null)]);
    if (part === undefined) throw new Error('A history on one key is one part');
    const html = explainHtml(part, 'seed 7', [{ at: 6, text: 'crash of 1' }]) ?? '';
    expect(html).toContain('class="stuck"');
    expect(html).toContain('2 of 3 operations');
    expect(html).toContain('1 put a=&lt;x&gt;');
    expect(html).toContain('crash of 1');
    expect(html).not.toMatch(/<x>|https?:/);
    const [fine] = checkLinearizability([put(1, 'a', 'x', 0, 4, 2)]);
    expect(fine === undefined ? '' : explainHtml(fine, 'seed 7')).toBeNull();
  });

  test('keys that nothing joins are judged apart', () => {
    expect(kinds([put(1, 'a', 'x', 0, 1, 2), put(2, 'b', 'y', 0, 1, 3)])).toEqual(['ok', 'ok']);
  });
});

function randomHistory(stream: RandomStream): Timed<Register>[] {
  return Array.from({ length: 2 + stream.below(5) }, () => {
    const called = stream.below(12);
    const drawn = stream.below(4);
    const operation: Register =
      drawn < 2
        ? { kind: 'write', value: stream.below(3) }
        : drawn === 2
          ? { kind: 'read', value: stream.below(4) === 0 ? null : stream.below(3) }
          : { kind: 'cas', from: stream.below(3), to: stream.below(3), ok: stream.below(2) === 0 };
    const isOpen = operation.kind !== 'read' && stream.below(5) === 0;
    if (isOpen && operation.kind === 'cas') return { operation: { ...operation, ok: null }, called, returned: null };
    return { operation, called, returned: isOpen ? null : called + stream.below(6) };
  });
}

/** Tries every subset of the open operations in every order. */
function bruteForce(history: readonly Timed<Register>[]): boolean {
  const place = (order: readonly number[]): boolean => {
    const isWhole = history.every(({ returned }, at) => returned === null || order.includes(at));
    if (isWhole && explains(history, order)) return true;
    return history.some((_, at) => !order.includes(at) && mayFollow(history, order, at) && place([...order, at]));
  };
  return place([]);
}

/** Nothing that ended before it began is still missing. */
function mayFollow(history: readonly Timed<Register>[], order: readonly number[], next: number): boolean {
  return history.every(({ returned }, at) => {
    return at === next || order.includes(at) || returned === null || returned >= (history[next]?.called ?? 0);
  });
}

function explains(history: readonly Timed<Register>[], order: readonly number[]): boolean {
  let state: number | null = null;
  for (const at of order) {
    const timed = history[at];
    const [next]: readonly (number | null)[] = timed === undefined ? [] : register.step(state, timed.operation);
    if (next === undefined) return false;
    state = next;
  }
  return true;
}

function parseJepsen(text: string): readonly Timed<Register>[] {
  const open = new Map<string, { operation: Register; called: number }>();
  const history: Timed<Register>[] = [];
  text.split('\n').forEach((line, time) => {
    const [, client = '', event = '', name = '', value = ''] =
      /jepsen\.util - (\d+)\s+:(\w+)\s+:(\w+)\s+(.*)$/.exec(line) ?? [];
    if (event === 'invoke') {
      open.set(client, { operation: jepsenOperation(name, value), called: time });
      return;
    }
    const begun = open.get(client);
    if (begun === undefined || client === '') return;
    open.delete(client);
    const { operation, called } = begun;
    if (event === 'info') {
      if (operation.kind !== 'read') history.push({ operation, called, returned: null });
    } else if (event === 'ok') {
      const answered: Register =
        operation.kind === 'read'
          ? { kind: 'read', value: value === 'nil' ? null : Number(value) }
          : operation.kind === 'cas'
            ? { ...operation, ok: true }
            : operation;
      history.push({ operation: answered, called, returned: time });
    } else if (event === 'fail' && operation.kind === 'cas') {
      history.push({ operation: { ...operation, ok: false }, called, returned: time });
    }
  });
  for (const { operation, called } of open.values()) {
    if (operation.kind !== 'read') history.push({ operation, called, returned: null });
  }
  return history;
}

function jepsenOperation(name: string, value: string): Register {
  if (name === 'write') return { kind: 'write', value: Number(value) };
  if (name === 'read') return { kind: 'read', value: null };
  const [from = 0, to = 0] = value.replace(/[[\]]/g, '').split(' ').map(Number);
  return { kind: 'cas', from, to, ok: null };
}
