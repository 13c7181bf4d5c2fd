import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as api from '@quorate/kv/api';
import { encodeByOracle, subjects } from './oracle.ts';

describe('every message of the API, against protobufjs', () => {
  test('all of them are covered', () => {
    const exported = Object.entries(api).filter(([, value]) => typeof value === 'object' && 'typeName' in value);
    expect(subjects.map(({ name }) => name).sort()).toEqual(exported.map(([name]) => name).sort());
    expect(subjects.length).toBeGreaterThan(100);
  });

  test.each(subjects)('$name', (subject) => {
    fc.assert(
      fc.property(subject.arbitrary, (message) => {
        const encoded = subject.ours.encode(message);
        expect(Buffer.from(encoded).toString('hex')).toBe(
          Buffer.from(encodeByOracle(subject, message)).toString('hex'),
        );
        expect(subject.ours.decode(encoded)).toEqual(message);
      }),
      { numRuns: 60 },
    );
  });
});
