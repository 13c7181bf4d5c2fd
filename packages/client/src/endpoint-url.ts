import { invalid } from './errors.ts';

/** etcd's port for clients. */
const DEFAULT_PORT = '2379';

/**
 * `host`, `host:port` or `http://host:port` as an origin, `http://host:port`.
 *
 * @throws ClientError `InvalidArgument`
 */
export function endpointOrigin(endpoint: string): string {
  const text = endpoint.includes('://') ? endpoint : `http://${endpoint}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '') {
    throw invalid(`'${endpoint}' is no endpoint; write host:port, for example 127.0.0.1:2379.`);
  }
  if (url.protocol !== 'http:') {
    throw invalid(
      `'${endpoint}' asks for ${url.protocol.slice(0, -1)}; only plaintext, http://, is supported for now.`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw invalid(`'${endpoint}' holds more than an address; write host:port, for example 127.0.0.1:2379.`);
  }
  return `http://${url.hostname}:${portOf(text, url)}`;
}

/** URL drops the port when it is the scheme's own, 80, even if it was written. */
function portOf(text: string, url: URL): string {
  if (url.port !== '') return url.port;
  return /:80\/?$/.test(text) ? '80' : DEFAULT_PORT;
}

/**
 * The distinct origins, in the order given.
 *
 * @throws ClientError `InvalidArgument`
 */
export function endpointOrigins(endpoints: string | readonly string[]): readonly string[] {
  const list = typeof endpoints === 'string' ? endpoints.split(',') : endpoints;
  if (!isListOfStrings(list)) {
    throw invalid("Endpoints are one string or a list of strings, for example ['127.0.0.1:2379', '127.0.0.1:2389'].");
  }
  const origins = new Set(list.map((each) => endpointOrigin(each.trim())));
  if (origins.size === 0) throw invalid('No endpoints were given; name at least one, for example 127.0.0.1:2379.');
  return [...origins];
}

/** Programs in JavaScript may hand over anything. */
function isListOfStrings(list: unknown): list is readonly string[] {
  return Array.isArray(list) && list.every((each) => typeof each === 'string');
}
