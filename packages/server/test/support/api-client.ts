/** One call of the etcd API at a time, over a raw HTTP/2 client. */
import type { MethodDescriptor } from '@quorate/kv/api';
import { framed, RawClient } from './rpc-fixture.ts';

export class CallError extends Error {
  readonly status: number;
  readonly outcome: unknown;

  constructor(status: number, message: string, outcome: unknown) {
    super(message);
    this.status = status;
    this.outcome = outcome;
  }
}

export class ApiClient {
  readonly #raw: RawClient;

  constructor(address: string) {
    this.#raw = new RawClient(address);
  }

  /** Rejects with a CallError for a status other than 0; status −1 says that the connection broke. */
  async call<Request, Response>(
    method: MethodDescriptor<Request, Response>,
    request: Partial<Request> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const bytes = method.request.encode(method.request.create(request));
    const { body, trailers } = await this.#raw.call(method.path, framed(bytes), headers);
    const status = trailers['grpc-status'];
    if (status === '0') return method.response.decode(body.subarray(5));
    const message = typeof trailers['grpc-message'] === 'string' ? trailers['grpc-message'] : 'the connection broke';
    throw new CallError(status === undefined ? -1 : Number(status), message, trailers['quorate-outcome']);
  }

  close(): void {
    this.#raw.close();
  }
}
