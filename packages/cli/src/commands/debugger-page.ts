import type { StaticFiles } from '@quorate/server';

/** The debugger's page as a server hands it out: there it shows the cluster as it is. Read when it is first asked for. */
export const debuggerPage: StaticFiles = {
  at: '/debug/ui/',
  home: '/debug/ui/#live',
  // As `contentSecurityPolicy` of @quorate/debugger, which is not loaded before somebody looks.
  policy:
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  file: async (path) => {
    const { pageFile } = await import('@quorate/debugger/node');
    return pageFile(path);
  },
};
