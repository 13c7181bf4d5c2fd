import { expect, test } from 'vitest';
// @ts-expect-error the generator is plain JavaScript, run by plain node
import * as generator from '../../scripts/generate-api.mjs';

const { generate, committed } = generator as {
  generate: () => Map<string, string>;
  committed: () => Map<string, string>;
};

test('what is committed under src/api/generated is what proto/ says, byte by byte', () => {
  const fresh = generate();
  const present = committed();
  expect(present).toEqual(fresh);
});
