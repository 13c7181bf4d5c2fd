// Bundles the page and its worker into dist/page: static files with relative addresses, for any host and any path.
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('src/page'),
  base: './',
  resolve: { conditions: ['@quorate/source', ...defaultClientConditions] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    outDir: here('dist/page'),
    emptyOutDir: true,
    target: 'es2023',
    // Polyfills would be inline scripts, which the page's policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  logLevel: 'warn',
});
