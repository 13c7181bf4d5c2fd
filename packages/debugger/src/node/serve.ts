/** Serves the page on loopback, and the trace that it was started with. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pageFile } from './page-files.ts';

/**
 * Only the page's own files run, nothing is sent anywhere, and no other page may frame it. Style attributes place things on the page;
 * they can load nothing.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface Served {
  /** The text of a trace, and what to call it; null for none. */
  readonly trace: { readonly name: string; readonly text: string } | null;
  /** 0: any that is free. */
  readonly port: number;
}

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1. Rejects when the port is taken, or the page has not been built. */
export async function servePage({ trace, port }: Served): Promise<PageServer> {
  // Whoever starts it is told, and not whoever looks.
  pageFile('/');
  const server = createServer((request, response) => answer(request, response, trace));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}/${trace === null ? '' : '#trace'}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, trace: Served['trace']): void {
  response.setHeader('content-security-policy', contentSecurityPolicy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
  if (!isLocal(request.headers.host)) return refuse(response, 403, 'This page is open to its own machine only.');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'There is only GET here.');
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  if (path === '/trace.json' && trace !== null) {
    response.setHeader('x-trace-name', encodeURIComponent(trace.name));
    return send(request, response, 'application/json', Buffer.from(trace.text));
  }
  const file = pageFile(path);
  if (file === null) return refuse(response, 404, 'There is nothing here.');
  send(request, response, file.type, file.bytes);
}

/** A page of another host whose name leads to loopback must not read the trace. */
function isLocal(host: string | undefined): boolean {
  return /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(host ?? '');
}

function send(request: IncomingMessage, response: ServerResponse, type: string, bytes: Uint8Array): void {
  response.writeHead(200, { 'content-type': type, 'content-length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
