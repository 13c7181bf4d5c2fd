/** The HTTP/1 side of the client port: a few JSON pages for people, probes and `quorate debug`. */
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '@quorate/runtime';
import type { StaticFiles } from './static-files.ts';

export interface HttpRequest {
  readonly query: URLSearchParams;
  /** The address of the other end of the connection. */
  readonly remoteAddress: string;
  readonly body: string;
  /** What the client takes this server for: its Host header, '' for none. */
  readonly host: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
  /** A file is sent in place of the body: its first so many bytes, a piece at a time. */
  readonly file?: { readonly path: string; readonly bytes: number };
}

export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

/** Handlers by path and then by method. GET handlers answer HEAD as well. */
export type HttpRoutes = ReadonlyMap<string, Readonly<Partial<Record<'GET' | 'PUT' | 'POST', HttpHandler>>>>;

/** Bounds of the HTTP/1 side. Bytes and milliseconds. */
export interface HttpLimits {
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  /** All headers of a request must have come within this time. */
  readonly headersTimeoutMs: number;
  /** A whole request must have come within this time. */
  readonly requestTimeoutMs: number;
  /** A connection may be idle between requests for this long. */
  readonly keepAliveTimeoutMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  maxHeaderBytes: 16 * 1024,
  maxBodyBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 60_000,
};

export function createHttp1Server(
  routes: HttpRoutes,
  logger: Logger,
  limits: HttpLimits = defaultHttpLimits,
  files: StaticFiles | null = null,
): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    },
    (request, response) => {
      answer(routes, limits, files, request, response).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        logger.log('error', 'An HTTP request failed', { path: request.url, reason });
        sendJson(request, response, { status: 500, body: { error: reason } });
      });
    },
  );
  // Sockets come from the client port, so this server never listens; its time limits begin with this event.
  server.emit('listening');
  return server;
}

async function answer(
  routes: HttpRoutes,
  limits: HttpLimits,
  files: StaticFiles | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  if (files !== null && `${path}/`.startsWith(files.at)) return answerFile(files, path, request, response);
  const methods = routes.get(path);
  if (methods === undefined) {
    const known = [...routes.keys()].join(', ');
    return sendJson(request, response, {
      status: 404,
      body: { error: `There is no ${path} here; there are ${known}` },
    });
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const handler = method === 'GET' || method === 'PUT' || method === 'POST' ? methods[method] : undefined;
  if (handler === undefined) {
    const allowed = Object.keys(methods).join(', ');
    response.setHeader('allow', allowed);
    return sendJson(request, response, { status: 405, body: { error: `${path} takes ${allowed}` } });
  }
  const body = await readBody(request, limits.maxBodyBytes);
  if (body === null) {
    const error = `The body is larger than ${limits.maxBodyBytes} bytes`;
    response.setHeader('connection', 'close');
    return sendJson(request, response, { status: 413, body: { error } });
  }
  const remoteAddress = request.socket.remoteAddress ?? '';
  const host = request.headers.host ?? '';
  const answered = await handler({ query: new URLSearchParams(query), remoteAddress, body, host });
  if (answered.file === undefined) sendJson(request, response, answered);
  else await sendFile(request, response, answered.file);
}

/** Never whole in memory: a recording has tens of megabytes. */
async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { path, bytes }: NonNullable<HttpAnswer['file']>,
): Promise<void> {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': bytes,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
  if (request.method === 'HEAD' || bytes === 0) {
    response.writeHead(200, headers);
    response.end();
    return;
  }
  const file = await open(path);
  response.writeHead(200, headers);
  // It closes the file, also where the client goes away.
  await pipeline(file.createReadStream({ end: bytes - 1 }), response);
}

async function answerFile(
  files: StaticFiles,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET');
    return sendJson(request, response, { status: 405, body: { error: `${path} takes GET` } });
  }
  if (!path.startsWith(files.at)) {
    response.writeHead(307, { location: files.home });
    response.end();
    return;
  }
  const file = await files.file(path.slice(files.at.length - 1));
  if (file === null) return sendJson(request, response, { status: 404, body: { error: `There is no ${path} here` } });
  response.writeHead(200, {
    'content-type': file.type,
    'content-length': file.bytes.length,
    'content-security-policy': files.policy,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  });
  response.end(request.method === 'HEAD' ? undefined : file.bytes);
}

async function readBody(request: IncomingMessage, most: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(request: IncomingMessage, response: ServerResponse, { status, body }: HttpAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
