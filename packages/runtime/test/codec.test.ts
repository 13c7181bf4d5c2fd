import { type ChangeRefusal, initialConfiguration, type MemberChange, type Message } from '@quorate/raft';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../src/codec/byte-reader.ts';
import { ByteWriter } from '../src/codec/byte-writer.ts';
import { EntriesEncoder } from '../src/codec/entries-codec.ts';
import { beginFrame, endFrame, FrameParser, frame } from '../src/codec/frame.ts';
import { readMessage, writeMessage } from '../src/codec/message-codec.ts';

const route = { group: 0, from: 'a', to: 'b', incarnation: '00000000000000aa' };

const index = fc.maxSafeNat();
const envelope = { ...route };
const term = index;
const bytes = fc.uint8Array({ maxLength: 40 });
const entries = fc
  .tuple(
    fc.integer({ min: 1, max: 2 ** 40 }),
    fc.array(fc.tuple(term, fc.constantFrom(0 as const, 1 as const, 2 as const), bytes), { maxLength: 5 }),
  )
  .map(([first, rest]) =>
    rest.map(([at, kind, data], position) => ({ index: first + position, term: at, kind, data })),
  );
const snapshot = fc.record({
  index,
  term,
  configuration: fc.constant(
    initialConfiguration([
      { id: 'a', incarnation: null, context: 'a:1' },
      { id: 'b', incarnation: '00000000000000bb', context: 'b:1' },
    ]),
  ),
});

const place = fc.record({ index, term });
const answer = fc.oneof(
  fc
    .tuple(place, fc.constantFrom(0 as const, 1 as const, 2 as const), bytes)
    .map(([at, kind, data]) => ({ verdict: 'have', entry: { ...at, kind, data } })),
  fc.record({ verdict: fc.constantFrom('dontHave', 'haveFaulty', 'compacted'), position: place }),
);

const id = fc.string({ maxLength: 20 });
const context = fc.string({ maxLength: 40 });
const change: fc.Arbitrary<MemberChange> = fc.oneof(
  fc.record({ op: fc.constant('add' as const), id, context, voter: fc.boolean() }),
  fc.record({ op: fc.constantFrom('remove' as const, 'promote' as const, 'demote' as const), id }),
  fc.record({ op: fc.constant('update' as const), id, context }),
  fc.record({ op: fc.constant('readmit' as const), id, incarnation: fc.constant('00000000000000bb') }),
);
const changeRefusals: Record<ChangeRefusal, true> = {
  noLeader: true,
  leadershipLost: true,
  busy: true,
  tooLarge: true,
  foreignIncarnation: true,
  recovering: true,
  repeated: true,
  unknownMember: true,
  alreadyMember: true,
  alreadyVoter: true,
  alreadyLearner: true,
  alreadyBound: true,
  formerLife: true,
  malformed: true,
  noVoters: true,
  nothingChanges: true,
  staleView: true,
  changing: true,
  unproven: true,
  quorumWouldBeLost: true,
  versionTooOld: true,
  leaderDiskFull: true,
};

const refusal = fc.constantFrom(
  null,
  'noLeader',
  'leadershipLost',
  'busy',
  'tooLarge',
  'foreignIncarnation',
  'recovering',
  'leaderDiskFull',
);

/** Keyed by kind, so that none is forgotten. */
const kinds: Record<Message['kind'], fc.Arbitrary<Message>> = {
  preVote: message('preVote', { round: index, lastIndex: index, lastTerm: index }),
  preVoteReply: message('preVoteReply', { round: index, granted: fc.boolean() }),
  requestVote: message('requestVote', { lastIndex: index, lastTerm: index, transfer: fc.boolean() }),
  requestVoteReply: message('requestVoteReply', { granted: fc.boolean() }),
  appendEntries: message('appendEntries', { prevIndex: index, prevTerm: index, entries, commit: index }),
  appendEntriesReply: message('appendEntriesReply', {
    accepted: fc.boolean(),
    index,
    hintIndex: index,
    hintTerm: index,
  }),
  heartbeat: message('heartbeat', { commit: index, round: index }),
  heartbeatReply: message('heartbeatReply', { round: index, speaks: fc.nat(255), behind: fc.boolean() }),
  installSnapshot: message('installSnapshot', { snapshot }),
  installSnapshotReply: message('installSnapshotReply', { snapshotIndex: index, index }),
  readIndex: message('readIndex', { id: index }),
  readIndexReply: message('readIndexReply', { id: index, index, refused: refusal }),
  propose: message('propose', { id: index, commands: fc.array(bytes, { maxLength: 5 }) }),
  proposeReply: message('proposeReply', {
    id: index,
    count: index,
    index,
    refused: refusal,
  }),
  timeoutNow: message('timeoutNow', {}),
  fetchEntries: message('fetchEntries', {
    round: index,
    applied: index,
    snapshot: index,
    wanted: fc.array(place, { maxLength: 5 }),
  }),
  fetchEntriesReply: message('fetchEntriesReply', { round: index, answers: fc.array(answer, { maxLength: 5 }) }),
  changeMembers: message('changeMembers', { id: index, version: index, changes: fc.array(change, { maxLength: 5 }) }),
  changeMembersReply: message('changeMembersReply', {
    id: index,
    index,
    refused: fc.constantFrom(null, ...(Object.keys(changeRefusals) as ChangeRefusal[])),
  }),
};

describe('numbers and strings', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string({ unit: 'binary' }), fc.uint8Array(), (number, text, bytes) => {
        const writer = new ByteWriter(1);
        writer.varint(number);
        writer.string(text);
        writer.counted(bytes);
        writer.u32(number);
        const reader = new ByteReader(writer.copy());
        expect(reader.varint()).toBe(number);
        expect(reader.string(1 << 20)).toBe(text);
        expect([...reader.counted(1 << 20)]).toEqual([...bytes]);
        expect(reader.u32()).toBe(number % 2 ** 32);
        expect(reader.complete).toBe(true);
      }),
    );
  });

  it('refuses a number beyond the safe integers', () => {
    const reader = new ByteReader(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]));
    expect(reader.varint()).toBe(0);
    expect(reader.failed).toBe(true);
  });

  it('refuses a string that is not UTF-8 and one that is too long', () => {
    expect(failed((reader) => reader.string(10), [2, 0xc3, 0x28])).toBe(true);
    expect(failed((reader) => reader.string(1), [2, 0x41, 0x41])).toBe(true);
  });
});

describe('messages', () => {
  it.each(Object.entries(kinds))('come back as they were sent: %s', (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        expect(decoded(encoded(message))).toEqual(message);
      }),
    );
  });

  // A frame has a checksum, so this never comes from a wire; but nothing may break where two builds misunderstand each other.
  it.each(Object.entries(kinds))('with any bit flipped are refused, or another message, whole: %s', (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        const bytes = encoded(message);
        for (let bit = 0; bit < 8 * Math.min(bytes.length, 60); bit++) {
          const flipped = bytes.slice();
          flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          const read = decoded(flipped);
          if (read !== null) expect(decoded(encoded(read))).toEqual(read);
        }
      }),
      { numRuns: 15 },
    );
  });

  it.each(Object.entries(kinds))(
    'are refused when bytes are missing, however many, or left over: %s',
    (_, arbitrary) => {
      fc.assert(
        fc.property(arbitrary, (message) => {
          const bytes = encoded(message);
          for (let length = 0; length < bytes.length; length++) expect(decoded(bytes.subarray(0, length))).toBeNull();
          expect(decoded(Uint8Array.from([...bytes, 0]))).toBeNull();
        }),
        { numRuns: 30 },
      );
    },
  );

  it('made of rubbish never throw and never claim memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const message = decoded(bytes);
        expect(message === null ? null : decoded(encoded(message))).toEqual(message);
      }),
      { numRuns: 3000 },
    );
  });

  it('encode a run of entries once for all peers', () => {
    const entries = [1, 2, 3].map((index) => ({ index, term: 1, kind: 1 as const, data: new Uint8Array([index]) }));
    const runs = new EntriesEncoder();
    expect(runs.encode(entries)).toBe(runs.encode([...entries]));
    expect(runs.encode(entries.slice(1))).not.toBe(runs.encode(entries));
  });
});

describe('frames', () => {
  it('arrive whole however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
        (payloads, cuts) => {
          const got: number[][] = [];
          const parser = new FrameParser(1000, (reader) => {
            got.push([...reader.take(reader.remaining)]);
            return null;
          });
          for (const chunk of cutUp(stream(payloads), cuts)) expect(parser.push(chunk)).toBeNull();
          expect(got).toEqual(payloads.map((payload) => [7, ...payload]));
        },
      ),
    );
  });

  it('end the stream when a byte is flipped', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (payload, at, bit) => {
          const bytes = stream([payload]);
          const position = at % bytes.length;
          bytes[position] = (bytes[position] ?? 0) ^ (1 << bit);
          let count = 0;
          const parser = new FrameParser(1000, () => {
            count++;
            return null;
          });
          parser.push(bytes);
          expect(count).toBe(0);
        },
      ),
    );
  });

  it('are refused at once when their length is beyond the limit', () => {
    const parser = new FrameParser(100, () => null);
    expect(parser.push(new Uint8Array([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]))).toMatch(/at most 100/);
  });

  it('are the same bytes whether written alone or into a stream', () => {
    const payload = new Uint8Array([1, 2, 3]);
    expect(frame(7, (writer) => writer.raw(payload))).toEqual(stream([payload]));
  });

  it('hand the bytes behind a frame to whoever comes next, and stop where they are told', () => {
    const parser = new FrameParser(100, () => 'enough');
    expect(parser.push(stream([new Uint8Array([1]), new Uint8Array([2])]))).toBe('enough');
  });
});

function message(kind: Message['kind'], fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Message> {
  return fc.record({ term, ...fields }).map((values) => ({ kind, ...envelope, ...values }) as unknown as Message);
}

function encoded(value: Message): Uint8Array {
  const writer = new ByteWriter(1);
  writeMessage(writer, value, new EntriesEncoder());
  return writer.copy();
}

function decoded(value: Uint8Array): Message | null {
  return readMessage(new ByteReader(value), route);
}

function failed(read: (reader: ByteReader) => unknown, values: readonly number[]): boolean {
  const reader = new ByteReader(Uint8Array.from(values));
  read(reader);
  return reader.failed;
}

function stream(payloads: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(1);
  for (const payload of payloads) {
    const start = beginFrame(writer, 7);
    writer.raw(payload);
    endFrame(writer, start);
  }
  return writer.copy();
}

function* cutUp(whole: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let offset = 0;
  for (let turn = 0; offset < whole.length; turn++) {
    const length = cuts[turn % cuts.length] ?? 1;
    yield whole.subarray(offset, offset + length);
    offset += length;
  }
}
