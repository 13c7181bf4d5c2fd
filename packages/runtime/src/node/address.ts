import { Resolver } from 'node:dns';
import { isIP } from 'node:net';

/** How long a resolved address is used before it is looked up again, and how long a look-up may take. Milliseconds. */
const freshFor = 30_000;
const lookupTimeout = 3_000;

/** `host:port`, `[v6]:port`, or `:port` for all interfaces; null if it is none of them. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) return null;
  return { host: match[1] ?? match[2] ?? '', port };
}

/**
 * Finds addresses of host names without the thread pool that `net.connect` uses, which a dead name server fills for seconds.
 * An address that was good once is used again when the name server does not answer.
 */
export class AddressBook {
  readonly #resolver = new Resolver({ timeout: lookupTimeout, tries: 1 });
  readonly #known = new Map<string, { readonly address: string; readonly at: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Calls back at once for literals, `localhost` and names that were resolved lately. */
  resolve(host: string, done: (error: string | null, address: string) => void): void {
    if (isIP(host) !== 0) return done(null, host);
    if (host === 'localhost' || host === '') return done(null, '127.0.0.1');
    const known = this.#known.get(host);
    if (known !== undefined && this.#now() - known.at < freshFor) return done(null, known.address);
    this.#lookUp(host, (error, address) => {
      if (address !== null) {
        this.#known.set(host, { address, at: this.#now() });
        done(null, address);
      } else if (known !== undefined) done(null, known.address);
      else done(`the name '${host}' cannot be resolved (${error ?? 'no address'})`, '');
    });
  }

  /** IPv4 first, then IPv6. */
  #lookUp(host: string, done: (error: string | null, address: string | null) => void): void {
    this.#resolver.resolve4(host, (error, addresses) => {
      const address = error === null ? addresses[0] : undefined;
      if (address !== undefined) {
        done(null, address);
        return;
      }
      this.#resolver.resolve6(host, (error6, addresses6) => {
        const address6 = error6 === null ? addresses6[0] : undefined;
        done(error6?.code ?? error?.code ?? null, address6 ?? null);
      });
    });
  }
}
