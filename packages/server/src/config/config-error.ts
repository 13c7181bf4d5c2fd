/** Where a setting came from, as a person would name it. */
export type ConfigSource = 'flag' | 'environment' | 'config file' | 'default';

/** A setting cannot be used. `message` names the setting, its value and what is expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'InvalidConfiguration';
  /** The flag's name without dashes, or the name that is not known. */
  readonly setting: string;
  readonly source: ConfigSource;

  constructor(setting: string, source: ConfigSource, message: string, options?: ErrorOptions) {
    super(message, options);
    this.setting = setting;
    this.source = source;
  }
}
