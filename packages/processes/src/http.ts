import { request } from 'node:http';

/** A server's page answered with something other than 200; `message` is what it said. */
export class PageError extends Error {
  override readonly name = 'PageError';
  readonly code = 'PageRefused';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** How long a page of a server may take. */
const PAGE_TIMEOUT_MS = 2_000;
/** No page is larger. */
const MAX_PAGE_BYTES = 4 << 20;

/** Asks a server's HTTP/1 side (`address` is host:port); returns the parsed JSON. Rejects when it is away, slow or says no. */
export async function askPage(
  method: 'GET' | 'PUT' | 'POST',
  address: string,
  path: string,
  timeoutMs: number = PAGE_TIMEOUT_MS,
): Promise<unknown> {
  const { status, text } = await exchange(method, address, path, timeoutMs);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new PageError(status, `${address}${path} answered ${status} with something that is not JSON.`, { cause });
  }
  if (status === 200) return body;
  const said = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : text.trim();
  throw new PageError(status, `${address}${path} answered ${status}: ${said}.`);
}

function exchange(
  method: string,
  address: string,
  path: string,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`http://${address}${path}`, { method, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > MAX_PAGE_BYTES)
          sent.destroy(new Error(`${address}${path} answered more than ${MAX_PAGE_BYTES} bytes.`));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}
