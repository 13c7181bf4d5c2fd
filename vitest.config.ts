import { defineConfig } from 'vitest/config';
import { NotRunReporter } from './scripts/not-run-reporter.mjs';

const conditions = ['@quorate/source', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    reporters: ['default', new NotRunReporter()],
    pool: 'threads',
    isolate: false,
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
