import { defaultOptions, freshState, type Input, initialConfiguration, type Message, Raft } from '@quorate/raft';
import { fingerprintMessage, fingerprintOutput } from '@quorate/runtime';
import {
  decodeTrace,
  encodeTrace,
  type InputRecord,
  latestRecords,
  mergeRecordings,
  replay,
  type ServerRecord,
  TraceError,
  traceFormat,
  type TraceHeader,
  type TraceRecord,
  traceVersion,
} from '@quorate/sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertLong } from '../../../test-support/long-property.ts';
import { decodeBase64, encodeBase64 } from '../src/trace/base64.ts';
import { canonicalState } from '../src/trace/compare.ts';
import { RandomStream } from '../src/random.ts';

const header: TraceHeader = {
  format: traceFormat,
  version: traceVersion,
  codeVersion: 'test',
  createdBy: 'trace.test',
  configuration: { seed: 7 },
};

/** Three cores in an order of chance, each recorded from its first output on. */
function recordedRun(seed: number, steps: number): Map<string, ServerRecord[]> {
  const random = new RandomStream(seed);
  const ids = ['a', 'b', 'c'];
  const configuration = initialConfiguration(ids.map((id) => ({ id, incarnation: null, context: '' })));
  const servers = ids.map(
    (id) =>
      new RecordedCore(id, new Raft({ ...defaultOptions, id, incarnation: `${id}-1` }, freshState(configuration))),
  );
  for (let now = 1; now <= steps; now++) {
    const server = random.pick(servers);
    const due = random.chance(700) ? server.inbox.shift() : undefined;
    if (due !== undefined) server.step({ ...due, now });
    else if (random.chance(30)) server.fire(now, 'election');
    else if (random.chance(200)) server.fire(now, 'heartbeat');
    else if (random.chance(300)) server.step({ kind: 'propose', now, id: now, commands: [Uint8Array.of(now & 255)] });
    for (const message of server.takeOutput()) {
      const to = servers.find(({ id }) => id === message.to);
      to?.inbox.push({ kind: 'message', now, message });
    }
  }
  return new Map(servers.map(({ id, records }) => [id, records]));
}

class RecordedCore {
  readonly id: string;
  readonly raft: Raft;
  readonly records: ServerRecord[] = [];
  readonly inbox: Input[] = [];
  #number = 0;
  #said: { outputs: number[]; sent: { to: string; fingerprint: number }[] } = { outputs: [], sent: [] };

  constructor(id: string, raft: Raft) {
    this.id = id;
    this.raft = raft;
    raft.takeOutput();
    this.checkpoint(0);
  }

  checkpoint(now: number): void {
    this.#said = { outputs: [], sent: [] };
    this.records.push({
      kind: 'checkpoint',
      server: this.id,
      life: 'first',
      number: this.#number,
      codeVersion: 'test',
      anchor: { wallTime: 0, now },
      options: { ...defaultOptions, id: this.id, incarnation: `${this.id}-1` },
      state: canonicalState(this.raft.state),
      ...this.#said,
    });
  }

  step(input: Input): void {
    this.raft.step(input);
    this.#number += 1;
    this.#said = { outputs: [], sent: [] };
    this.records.push({ kind: 'input', server: this.id, life: 'first', number: this.#number, input, ...this.#said });
  }

  fire(now: number, name: 'election' | 'heartbeat'): void {
    this.step({ kind: 'timeout', now, name, generation: this.raft.state.timers[name] });
  }

  takeOutput(): Message[] {
    const output = this.raft.takeOutput();
    this.#said.outputs.push(fingerprintOutput(output, this.raft));
    if (output.persist !== null) this.inbox.push({ kind: 'persisted', now: 0, id: output.persist.id });
    if (output.apply !== null) this.inbox.push({ kind: 'applied', now: 0, index: output.apply.to });
    const sent = output.send.map(({ message }) => message);
    for (const message of sent) this.#said.sent.push({ to: message.to, fingerprint: fingerprintMessage(message) });
    return sent;
  }
}

function decoded(lines: Iterable<string>): { header: TraceHeader; records: TraceRecord[] } {
  const trace = decodeTrace(lines);
  return { header: trace.header, records: [...trace.records] };
}

function merged(run: ReadonlyMap<string, readonly ServerRecord[]>): ServerRecord[] {
  return [
    ...mergeRecordings([...run].map(([server, records]) => ({ server, notes: [], records: () => walk(records) }))),
  ];
}

function* walk(records: readonly ServerRecord[]): Generator<ServerRecord, void, undefined> {
  yield* records;
}

describe('the end of a recording', () => {
  it('leads to the same states as all of it, and is no longer than it must be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 200 }), (seed, most) => {
        const all = [...recordedRun(seed, 400).values()].flat();
        const latest = latestRecords(all, most);
        expect(latest.length).toBeLessThanOrEqual(2 * most + 3);
        const states = (records: readonly ServerRecord[]): unknown =>
          replay(records).servers.map(({ server, state }) => [server, canonicalState(state)]);
        expect(replay(latest).parting).toBeNull();
        expect(states(latest)).toEqual(states(all));
      }),
      { numRuns: 50 },
    );
  });

  it('is all of a short one', () => {
    const all = [...recordedRun(3, 50).values()].flat();
    expect(latestRecords(all, 1_000)).toEqual(all);
  });
});

describe('a trace', () => {
  it('comes back from JSON as it was, also when it was laid out anew', () => {
    assertLong(
      fc.property(fc.nat(), (seed) => {
        const records = [...recordedRun(seed, 200).values()].flat();
        const lines = [...encodeTrace(header, records)];
        expect(decoded(lines)).toEqual({ header, records });
        const pretty = JSON.stringify(JSON.parse(lines.join('\n')), null, 2).split('\n');
        expect(decoded(pretty)).toEqual({ header, records });
      }),
      { numRuns: 20 },
    );
  });

  it('holds decisions', () => {
    const records: TraceRecord[] = [
      { kind: 'decision', at: 5, step: 3, action: { kind: 'crash', server: 'a', how: 'power' } },
      { kind: 'decision', at: 9, step: 4, action: { kind: 'heal' } },
    ];
    expect(decoded(encodeTrace(header, records))).toEqual({ header, records });
    expect(decoded(encodeTrace(header, []))).toEqual({ header, records: [] });
  });

  it.each([
    ['nothing', '', 'NotATrace'],
    ['text', 'hello', 'NotATrace'],
    ['other JSON', '{"records":[]}', 'NotATrace'],
    ['a later version', `{"format":"${traceFormat}","version":2,"records":[]}`, 'UnsupportedVersion'],
    ['a broken record', [...encodeTrace(header, [])].join('\n').replace(']}', '{"kind":\n]}'), 'Malformed'],
    ['an unknown record', [...encodeTrace(header, [])].join('\n').replace(']}', '{"kind":"tea"}\n]}'), 'Malformed'],
    ['a file that is cut off', [...encodeTrace(header, [])][0] ?? '', 'Truncated'],
  ])('is refused with a typed error when it is %s', (_, text, code) => {
    expect(() => decoded(text.split('\n'))).toThrow(expect.objectContaining({ name: 'TraceError', code }));
  });

  it('is read from rubbish with nothing but typed errors', () => {
    const whole = [...encodeTrace(header, [...recordedRun(3, 60).values()].flat())].join('\n');
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(20), fc.string({ maxLength: 5 }), (at, length, text) => {
        const changed = whole.slice(0, at) + text + whole.slice(at + length);
        try {
          decoded(changed.split('\n'));
        } catch (error) {
          expect(error).toBeInstanceOf(TraceError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('bytes as text', () => {
  it('are what the platform makes of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(encodeBase64(bytes)).toBe(text);
        expect(decodeBase64(text)).toEqual(bytes);
      }),
    );
  });

  it.each(['A', 'AAA', 'AAAA=', 'AB==', 'A===', '=AAA', 'AA=A', 'A\u00e9AA'])('are not read from %s', (text) => {
    expect(decodeBase64(text)).toBeNull();
  });
});

describe('recordings of several servers', () => {
  it('replay to the states that were recorded, in an order in which nobody receives what was not sent', () => {
    assertLong(
      fc.property(
        fc.nat(),
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 3 }),
        (seed, skews) => {
          const run = recordedRun(seed, 400);
          for (const [position, records] of [...run.values()].entries()) skew(records, skews[position] ?? 0);
          const order = merged(run);
          expect(order).toHaveLength([...run.values()].flat().length);
          expectCausal(order);
          const { parting, servers } = replay(order);
          expect(parting).toBeNull();
          expect(servers.reduce((sum, { inputs }) => sum + inputs, 0)).toBe(order.length - 3);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('show the first input at which this build goes another way', () => {
    assertLong(
      fc.property(fc.nat(), (seed) => {
        const run = recordedRun(seed, 300);
        const records = run.get('a') ?? [];
        const at = records.findIndex((record) => record.kind === 'input' && record.outputs.length > 0);
        const victim = records[at];
        if (victim === undefined) return;
        records[at] = { ...victim, outputs: [(victim.outputs[0] ?? 0) ^ 1] };
        expect(replay(records).parting).toMatchObject({ server: 'a', number: victim.number });
      }),
      { numRuns: 20 },
    );
  });

  it('compare the state at a later checkpoint', () => {
    const records = recordedRun(11, 300).get('a') ?? [];
    const last = records[records.length - 1];
    const end = replay(records).servers[0];
    const [first] = records;
    if (first?.kind !== 'checkpoint' || last === undefined || end === undefined) throw new Error('no recording');
    const arrival = { ...first, number: last.number, state: canonicalState(end.state), outputs: [], sent: [] };
    expect(replay([...records, arrival])).toMatchObject({ parting: null, servers: [{ checkpoints: 1 }] });
    const wrong = { ...arrival, state: { ...arrival.state, term: arrival.state.term + 1 } };
    expect(replay([...records, wrong]).parting?.what).toMatch(/^the state is not the recorded one: state\.term is/);
  });

  it('are refused where an input is missing, or a state is of another build', () => {
    const records = recordedRun(12, 200).get('a') ?? [];
    const [first] = records;
    if (first?.kind !== 'checkpoint') throw new Error('no checkpoint');
    expect(() => replay(records.toSpliced(3, 1))).toThrow(/follows neither a checkpoint nor the input before it/);
    const { sticky: _, ...older } = first.state;
    expect(() => replay([{ ...first, state: older as typeof first.state }])).toThrow(/state\.sticky is absent/);
  });

  it('say when the core itself breaks', () => {
    const [first] = recordedRun(13, 1).get('a') ?? [];
    if (first === undefined) throw new Error('no checkpoint');
    const impossible: InputRecord = {
      kind: 'input',
      server: 'a',
      life: 'first',
      number: 1,
      input: { kind: 'persisted', now: 1, id: 99 },
      outputs: [],
      sent: [],
    };
    expect(replay([first, impossible]).parting?.what).toMatch(
      /the core breaks over this input \(persisted\): Broken invariant: batch 99/,
    );
  });
});

/** The server's wall clock is that many microseconds ahead. */
function skew(records: ServerRecord[], micros: number): void {
  for (const [position, record] of records.entries()) {
    if (record.kind === 'checkpoint') {
      records[position] = { ...record, anchor: { wallTime: 0, now: record.anchor.now - micros } };
    }
  }
}

function expectCausal(order: readonly ServerRecord[]): void {
  const left = new Map<number, number>();
  for (const record of order) {
    if (record.kind === 'input' && record.input.kind === 'message') {
      const fingerprint = fingerprintMessage(record.input.message);
      const count = left.get(fingerprint) ?? 0;
      expect(count).toBeGreaterThan(0);
      left.set(fingerprint, count - 1);
    }
    for (const { fingerprint } of record.sent) left.set(fingerprint, (left.get(fingerprint) ?? 0) + 1);
  }
}
