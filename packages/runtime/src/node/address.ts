import { lookup, Resolver } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/** How long a resolved address is used before it is looked up again, and how long a name server is waited for. Milliseconds. */
const freshFor = 30_000;
const lookupTimeout = 3_000;

/** `host:port`, `[v6]:port`, or `:port` for all interfaces; null if it is none of them. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[^\]]+)?)\]|([^:[\]]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) return null;
  return { host: match[1] ?? match[2] ?? '', port };
}

type Found = (error: string | null, address: string | null) => void;

/** Where names are looked up; replaced in tests. */
export interface NameSources {
  /** The text of the hosts file. */
  hostsFile(): string;
  /** Asks the name server directly. The error is its code. */
  nameServer(host: string, found: Found): void;
  /** The system's own look-up: knows search domains, but occupies a thread of libuv's pool for as long as it takes. */
  system(host: string, found: Found): void;
}

/**
 * Finds the addresses of host names without the thread pool that `net.connect` uses: a dead name server would fill that for
 * seconds at a time. The system's look-up is asked only about names that a living name server does not know as they stand
 * (search domains). An address that was good once is used again when nobody answers.
 */
export class AddressBook {
  readonly #sources: NameSources;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly address: string; readonly at: number }>();
  /** Look-ups under way, with those who wait for them. */
  readonly #waiting = new Map<string, Found[]>();

  constructor(sources: NameSources = systemSources(), now: () => number = () => performance.now()) {
    this.#sources = sources;
    this.#now = now;
  }

  /** Calls back at once for literals, `localhost` and names that were resolved lately. */
  resolve(host: string, done: (error: string | null, address: string) => void): void {
    if (isIP(host) !== 0) return done(null, host);
    if (host === 'localhost' || host === '') return done(null, '127.0.0.1');
    const known = this.#known.get(host);
    if (known !== undefined && this.#now() - known.at < freshFor) return done(null, known.address);
    const answer: Found = (error, address) => {
      if (address !== null) done(null, address);
      else done(`the name '${host}' cannot be resolved (${error ?? 'no address'})`, '');
    };
    const waiting = this.#waiting.get(host);
    if (waiting === undefined) {
      this.#waiting.set(host, [answer]);
      this.#lookUp(host);
    } else waiting.push(answer);
  }

  #lookUp(host: string): void {
    const listed = findInHosts(this.#sources.hostsFile(), host);
    if (listed !== null) {
      this.#found(host, null, listed);
      return;
    }
    this.#sources.nameServer(host, (error, address) => {
      if (error === 'ENOTFOUND' || error === 'ENODATA') {
        this.#sources.system(host, (systemError, found) => this.#found(host, systemError, found));
      } else this.#found(host, error, address);
    });
  }

  #found(host: string, error: string | null, address: string | null): void {
    if (address !== null) this.#known.set(host, { address, at: this.#now() });
    const best = address ?? this.#known.get(host)?.address ?? null;
    const waiting = this.#waiting.get(host) ?? [];
    this.#waiting.delete(host);
    for (const answer of waiting) answer(error, best);
  }
}

/** The address that a hosts file gives a name; null if it does not name it. */
export function findInHosts(text: string, host: string): string | null {
  const wanted = host.toLowerCase();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    if (isIP(address) !== 0 && names.some((name) => name.toLowerCase() === wanted)) return address;
  }
  return null;
}

function systemSources(): NameSources {
  const resolver = new Resolver({ timeout: lookupTimeout, tries: 1 });
  return {
    hostsFile: () => {
      try {
        return readFileSync('/etc/hosts', 'utf8');
      } catch {
        // Systems without one have nothing to say in it.
        return '';
      }
    },
    nameServer: (host, found) => askNameServer(resolver, host, found),
    system: (host, found) => {
      lookup(host, (error, address) => found(error?.code ?? null, error === null ? address : null));
    },
  };
}

/** IPv4 first, then IPv6. */
function askNameServer(resolver: Resolver, host: string, found: Found): void {
  resolver.resolve4(host, (error, addresses) => {
    const address = error === null ? addresses[0] : undefined;
    if (address !== undefined) {
      found(null, address);
      return;
    }
    resolver.resolve6(host, (error6, addresses6) => {
      const address6 = error6 === null ? addresses6[0] : undefined;
      found(error6?.code ?? error?.code ?? null, address6 ?? null);
    });
  });
}
