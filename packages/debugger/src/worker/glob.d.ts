// What the bundler makes of a pattern: a way to load each file that fits it.
interface ImportMeta {
  glob<Module>(pattern: string): Record<string, () => Promise<Module>>;
}
