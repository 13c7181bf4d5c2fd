/** Addresses as etcd writes them: `scheme://host:port`, several separated by commas. */
import type { ListenAddress } from '../client-port.ts';

/** A list of addresses, or what is wrong with it (the end of a sentence that names the setting). */
export function parseUrls(text: string): readonly string[] | { readonly fault: string } {
  const urls = text.split(',').map((url) => url.trim());
  for (const url of urls) {
    const fault = urlFault(url);
    if (fault !== null) return { fault };
  }
  return urls;
}

function urlFault(url: string): string | null {
  const match = /^([a-z]+):\/\/([^/?#]*)(.*)$/.exec(url);
  if (match === null) return `"${url}" is not an address; write http://HOST:PORT`;
  const [, scheme, host = '', rest] = match;
  if (scheme === 'https') return `"${url}" asks for TLS, which this version does not have yet; write http://HOST:PORT`;
  if (scheme !== 'http') return `"${url}" has scheme ${scheme}; write http://HOST:PORT`;
  if (rest !== '' && rest !== '/') return `"${url}" has a path; write http://HOST:PORT and nothing behind it`;
  const port = /^(?:\[[0-9a-fA-F:.%]+\]|[^:[\]@\s]+):([0-9]{1,5})$/.exec(host)?.[1];
  if (port === undefined) return `"${url}" lacks host or port; write http://HOST:PORT`;
  return Number(port) <= 65_535 ? null : `"${url}" has port ${port}; ports end at 65535`;
}

/** Where to listen for a checked address. */
export function listenAddress(url: string): ListenAddress {
  const at = url.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
  const colon = at.lastIndexOf(':');
  const host = at.slice(0, colon).replace(/^\[|\]$/g, '');
  // One family, the same on every machine, whatever the resolver prefers; etcd does likewise.
  return { host: host === 'localhost' ? '127.0.0.1' : host, port: Number(at.slice(colon + 1)) };
}

/** `host:port` of a checked address, as the network between servers understands it. */
export function socketAddress(url: string): string {
  const { host, port } = listenAddress(url);
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether an address says "every interface", which nobody can connect to from elsewhere. */
export function isWildcard(url: string): boolean {
  const { host } = listenAddress(url);
  return host === '0.0.0.0' || host === '::';
}
