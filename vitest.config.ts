import { defineConfig } from 'vitest/config';
import { NotRunReporter } from './scripts/not-run-reporter.mjs';

// Tests and what they import are the packages' sources; the processes that they start run dist/.
const conditions = ['@quorate/source', 'node', 'import', 'default'];

// Tests that start clusters of real processes. They run after the others, one file at a time: beside a property test that
// keeps every core busy they would show nothing but that.
const processes = [
  'packages/cli/test/**/*.test.ts',
  'packages/evaluation/test/*-run.test.ts',
  'packages/server/test/**/*.etcdctl.test.ts',
];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: ['default', new NotRunReporter()],
    pool: 'threads',
    isolate: false,
    setupFiles: ['test-support/same-globals.ts'],
    testTimeout: 30_000,
    slowTestThreshold: 2_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'sources',
          include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: processes,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'processes', include: processes, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
