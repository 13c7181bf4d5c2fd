/** Whose agreement counts: §6. Golden tables, the same count done a second time by brute force, and the bytes of a configuration. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  initialConfiguration,
  type MemberId,
  type Target,
} from '../src/index.ts';
import { quorumValue, tally } from '../src/configuration.ts';
import { configuration, isQuorum, memberNames } from './support/configurations.ts';

/** `1 4 4` → the index that each of n1, n2, n3 … holds; `-` for none. */
function indexes(row: string): (id: MemberId) => number {
  const values = row.split(/\s+/);
  return (id) => Number(values[Number(id.slice(1)) - 1]?.replace('-', '0') ?? 0);
}

/** `y n -` → how each of n1, n2, n3 … voted. */
function votes(row: string): (id: MemberId) => boolean | undefined {
  const values = row.split(/\s+/);
  return (id) => ({ y: true, n: false })[values[Number(id.slice(1)) - 1] ?? '-'];
}

const half = (row: string): MemberId[] => row.split(/\s+/).filter((id) => id !== '');

describe('the commit index of a quorum', () => {
  //  voters       outgoing     held by n1 n2 n3 …    committed
  test.each([
    ['n1', '', '7', 7],
    ['n1 n2', '', '7 3', 3],
    ['n1 n2 n3', '', '7 3 -', 3],
    ['n1 n2 n3', '', '7 7 -', 7],
    ['n1 n2 n3', '', '- - 9', 0],
    ['n1 n2 n3 n4', '', '9 9 2 1', 2],
    ['n1 n2 n3 n4', '', '9 9 9 1', 9],
    ['n1 n2 n3 n4 n5', '', '9 8 7 6 5', 7],
    ['n1 n2 n3 n4 n5', '', '5 5 9 9 -', 5],
    ['n1 n2 n3', 'n1 n2 n3', '7 3 -', 3],
    ['n1 n2 n3', 'n3 n4 n5', '9 9 9 1 1', 1],
    ['n1 n2 n3', 'n3 n4 n5', '9 9 9 9 -', 9],
    ['n1 n2 n3', 'n3 n4 n5', '9 - - 9 9', 0],
    ['n1', 'n2 n3 n4', '9 4 5 6', 5],
    ['n1', 'n2', '3 8', 3],
    ['n4 n5', 'n1 n2 n3', '9 9 9 4 6', 4],
    ['', '', '9 9 9', 0],
  ])('%s | %s: %s → %i', (voters, outgoing, held, committed) => {
    expect(quorumValue(configuration({ voters: half(voters), outgoing: half(outgoing) }), indexes(held))).toBe(
      committed,
    );
  });
});

describe('a vote', () => {
  test.each([
    ['n1', '', 'y', 'won'],
    ['n1', '', 'n', 'lost'],
    ['n1 n2', '', 'y -', 'pending'],
    ['n1 n2', '', 'y n', 'lost'],
    ['n1 n2 n3', '', 'y - -', 'pending'],
    ['n1 n2 n3', '', 'y n -', 'pending'],
    ['n1 n2 n3', '', 'y y -', 'won'],
    ['n1 n2 n3', '', 'y n n', 'lost'],
    ['n1 n2 n3 n4', '', 'y y n -', 'pending'],
    ['n1 n2 n3 n4', '', 'y y n n', 'lost'],
    ['n1 n2 n3', 'n3 n4 n5', 'y y - - -', 'pending'],
    ['n1 n2 n3', 'n3 n4 n5', 'y y - n n', 'lost'],
    ['n1 n2 n3', 'n3 n4 n5', 'y - y y -', 'won'],
    ['n1 n2 n3', 'n3 n4 n5', 'y y y - -', 'pending'],
    ['n1', 'n2', 'y -', 'pending'],
    ['n1', 'n2', 'y y', 'won'],
    ['', '', '', 'lost'],
  ])('%s | %s: %s → %s', (voters, outgoing, cast, result) => {
    expect(tally(configuration({ voters: half(voters), outgoing: half(outgoing) }), votes(cast))).toBe(result);
  });
});

const halves = fc.record({
  voters: fc.uniqueArray(fc.constantFrom(...memberNames(7)), { minLength: 1, maxLength: 7 }),
  outgoing: fc.uniqueArray(fc.constantFrom(...memberNames(7)), { maxLength: 7 }),
});

describe('by brute force', () => {
  test('the commit index is the largest that some quorum has reached', () => {
    fc.assert(
      fc.property(halves, fc.array(fc.nat(12), { minLength: 7, maxLength: 7 }), (shape, values) => {
        const of = configuration(shape);
        const valueOf = (id: MemberId): number => values[Number(id.slice(1)) - 1] ?? 0;
        const reached = (index: number): boolean =>
          isQuorum(of, new Set(memberNames(7).filter((id) => valueOf(id) >= index)));
        const largest = Math.max(0, ...[...values].filter(reached));
        expect(quorumValue(of, valueOf)).toBe(largest);
      }),
    );
  });

  test('a vote is won when the yeses are a quorum, and lost when the silent could not make them one', () => {
    fc.assert(
      fc.property(
        halves,
        fc.array(fc.constantFrom(true, false, undefined), { minLength: 7, maxLength: 7 }),
        (shape, cast) => {
          const of = configuration(shape);
          const voteOf = (id: MemberId): boolean | undefined => cast[Number(id.slice(1)) - 1];
          const yes = new Set(memberNames(7).filter((id) => voteOf(id) === true));
          const possible = new Set(memberNames(7).filter((id) => voteOf(id) !== false));
          const expected = isQuorum(of, yes) ? 'won' : isQuorum(of, possible) ? 'pending' : 'lost';
          expect(tally(of, voteOf)).toBe(expected);
        },
      ),
    );
  });

  test('learners never count', () => {
    const of = configuration({ voters: memberNames(3), learners: ['n4', 'n5'] });
    expect(tally(of, votes('y - - y y'))).toBe('pending');
    expect(quorumValue(of, indexes('9 1 1 9 9'))).toBe(1);
  });
});

describe('the bytes of a configuration', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((id) => new TextEncoder().encode(id).length <= 64);
  const life = fc.record({ id: text, incarnation: text });

  interface Drawn {
    readonly id: string;
    readonly incarnation: string | null;
    readonly part: string;
    readonly end: string;
    readonly successor: string | null;
  }

  /** Null where the members drawn have nobody to vote in the end. */
  function targetOf(members: readonly Drawn[]): Target | null {
    const voters = members.filter(({ end }) => end === 'voter').map(({ id }) => id);
    const halves = members.filter(({ part }) => part !== 'learner');
    const leaving = halves.filter(({ end }) => end === 'leaving').map(({ id }) => id);
    const successors = halves.flatMap(({ id, incarnation, successor }) =>
      incarnation === null || successor === null ? [] : [{ id, incarnation: successor }],
    );
    return voters.length === 0 ? null : { voters, leaving, successors };
  }

  const anyConfiguration: fc.Arbitrary<Configuration> = fc
    .uniqueArray(
      fc.record({
        id: text,
        incarnation: fc.option(text),
        context: fc.string({ maxLength: 40 }),
        part: fc.constantFrom('voter', 'outgoing', 'both', 'learner', 'next'),
        end: fc.constantFrom('voter', 'leaving', 'stays'),
        successor: fc.option(text),
      }),
      { minLength: 1, maxLength: 9, selector: (member) => member.id },
    )
    .chain((drawn) =>
      fc.tuple(
        fc.constant(drawn),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        fc.array(life, { maxLength: 3 }),
      ),
    )
    .map(([drawn, version, protocol, isChanging, former]) => {
      const sorted = [...drawn].sort((a, b) => (a.id < b.id ? -1 : 1));
      const ids = (...parts: string[]) =>
        sorted.filter((member) => parts.includes(member.part)).map((member) => member.id);
      return {
        index: 12,
        version,
        protocol,
        voters: ids('voter', 'both'),
        outgoing: ids('outgoing', 'both', 'next'),
        learners: ids('learner'),
        learnersNext: ids('next'),
        members: sorted.map(({ id, incarnation, context }) => ({ id, incarnation, context })),
        target: isChanging ? targetOf(sorted) : null,
        former,
      };
    });

  test('come back as they went in', () => {
    fc.assert(
      fc.property(anyConfiguration, (of) => {
        expect(decodeConfiguration(encodeConfiguration(of), 12)).toEqual(of);
      }),
    );
  });

  test('any other bytes are refused, never thrown at, and never understood in two ways', () => {
    const mutated = fc
      .tuple(anyConfiguration, fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 4 }), fc.nat(300))
      .map(([of, changes, length]) => {
        const bytes = encodeConfiguration(of).slice(0, length);
        for (const [at, value] of changes) {
          if (at < bytes.length) {
            bytes[at] = value;
          }
        }
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        const found = decodeConfiguration(bytes, 3);
        expect(found === null || Buffer.from(encodeConfiguration(found)).equals(bytes)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('a member that stands twice, or a name without letters, is refused at creation', () => {
    const member = (id: string) => ({ id, incarnation: null, context: '' });
    expect(() => initialConfiguration([member('a'), member('a')])).toThrow(RangeError);
    expect(() => initialConfiguration([member('a')], [member('a')])).toThrow(RangeError);
    expect(() => initialConfiguration([member('')])).toThrow(RangeError);
    expect(() => initialConfiguration([member('x'.repeat(65))])).toThrow(RangeError);
    expect(initialConfiguration([member('b'), member('a')], [member('c')])).toMatchObject({
      voters: ['a', 'b'],
      learners: ['c'],
    });
  });
});
