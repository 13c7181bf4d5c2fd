/** The raw settings of all sources, and typed readers over them that know how to complain. */
import { ConfigError, type ConfigSource } from './config-error.ts';
import { environmentName, type FlagName, serverFlags } from './flags.ts';
import { parseUrls } from './urls.ts';

export type RawSettings = Readonly<Record<string, string | undefined>>;

interface Sources {
  readonly flags: RawSettings;
  readonly environment: RawSettings;
  readonly file: RawSettings;
}

/** Flags before environment before config file before defaults. */
export class Settings {
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
    refuseUnknown('flag', sources.flags);
    refuseUnknown('config file', sources.file);
  }

  /** The raw value and where it stands; null if it is nowhere and has no default. */
  find(name: FlagName): { readonly value: string; readonly source: ConfigSource } | null {
    const { flags, environment, file } = this.#sources;
    const given = flags[name];
    if (given !== undefined) return { value: given, source: 'flag' };
    const exported = environment[environmentName(name)];
    if (exported !== undefined) return { value: exported, source: 'environment' };
    const filed = file[name];
    if (filed !== undefined) return { value: filed, source: 'config file' };
    const fallback = serverFlags.find((flag) => flag.name === name)?.default ?? null;
    return fallback === null ? null : { value: fallback, source: 'default' };
  }

  text(name: FlagName, pattern: RegExp, expected: string): string {
    const { value } = this.#required(name);
    if (!pattern.test(value)) throw this.fault(name, `"${value}" is not ${expected}`);
    return value;
  }

  choice<Choice extends string>(name: FlagName, choices: readonly Choice[]): Choice {
    const { value } = this.#required(name);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.fault(name, `"${value}" is not one of ${choices.join(', ')}`);
    return found;
  }

  choices<Choice extends string>(name: FlagName, choices: readonly Choice[]): readonly Choice[] {
    const words = this.#required(name)
      .value.split(',')
      .map((word) => word.trim());
    return words
      .filter((word) => word !== '')
      .map((word) => {
        const found = choices.find((choice) => choice === word);
        if (found === undefined) throw this.fault(name, `"${word}" is not one of ${choices.join(', ')}`);
        return found;
      });
  }

  whole(name: FlagName, least: number, most: number, unit: string): number {
    const { value } = this.#required(name);
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw this.fault(name, `"${value}" is not a whole number of ${unit} from ${least} to ${most}`);
  }

  boolean(name: FlagName): boolean {
    return this.choice(name, ['true', 'false']) === 'true';
  }

  urls(name: FlagName): readonly string[] | null {
    const found = this.find(name);
    if (found === null) return null;
    const urls = parseUrls(found.value);
    if ('fault' in urls) throw this.fault(name, urls.fault);
    return urls;
  }

  requiredUrls(name: FlagName): readonly string[] {
    const urls = this.urls(name);
    if (urls === null) throw new Error(`${name} has no default`);
    return urls;
  }

  /** An error about a setting's present value, said in the words of the source that it stands in. */
  fault(name: FlagName, what: string): ConfigError {
    const source = this.find(name)?.source ?? 'default';
    const where = {
      flag: `--${name}`,
      environment: environmentName(name),
      'config file': `${name} in the config file`,
      default: `--${name}`,
    }[source];
    return new ConfigError(name, source, `${where}: ${what}`);
  }

  #required(name: FlagName): { readonly value: string; readonly source: ConfigSource } {
    const found = this.find(name);
    if (found === null) throw new Error(`${name} has no default`);
    return found;
  }
}

function refuseUnknown(source: ConfigSource, raw: RawSettings): void {
  for (const name of Object.keys(raw)) {
    if (serverFlags.some((flag) => flag.name === name)) continue;
    const near = nearest(name);
    const hint = near === null ? 'see quorate serve --help' : `did you mean ${near}?`;
    throw new ConfigError(name, source, `"${name}" is not a setting (${source}); ${hint}`);
  }
}

function nearest(name: string): string | null {
  const wanted = name.replaceAll(/[^a-z]/g, '');
  return (
    serverFlags.find((flag) => {
      const has = flag.name.replaceAll('-', '');
      return has === wanted || has.startsWith(wanted) || wanted.startsWith(has);
    })?.name ?? null
  );
}
