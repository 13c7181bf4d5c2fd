// Keeps package-lock.json fit for every machine: no registry's address in it, and every optional binary of every
// platform named. npm leaves an optional package out when the registry at hand does not carry it, and `npm ci` then
// refuses the lock for good ("Missing: … from lock file"). What is left out is added by its exact version, so that a
// machine of that platform finds it at its own registry.
//
//   node scripts/lock.mjs           completes the lock (run it after every npm install)
//   node scripts/lock.mjs --check   fails when the lock needs it
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const OS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const CPU = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];
const WASM = /-wasm32-|-wasi$/;

/** os, cpu and libc of a binary package, read off its name, e.g. `@oxlint/binding-linux-x64-musl`. */
function platformOf(name) {
  const tokens = name.split(/[/-]/);
  const os = OS.find((each) => tokens.includes(each));
  const cpu = CPU.find((each) => tokens.includes(each));
  if (!os || !cpu) throw new Error(`${name}: no platform in the name; add it to package-lock.json by hand`);
  const abi = tokens.find((token) => token.startsWith('musl') || token.startsWith('gnu'));
  const libc = os === 'linux' && abi ? { libc: [abi.startsWith('musl') ? 'musl' : 'glibc'] } : {};
  return { cpu: [cpu], ...libc, os: [os] };
}

function missingOptional(lock) {
  const missing = new Map();
  for (const [parent, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const present = lock.packages[`node_modules/${name}`] ?? lock.packages[`${parent}/node_modules/${name}`];
      if (present || WASM.test(name)) continue;
      if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) {
        throw new Error(`${parent} wants optional ${name}@${version}: not an exact version, cannot complete the lock`);
      }
      missing.set(`node_modules/${name}`, { version, dev: entry.dev, ...platformOf(name), optional: true });
    }
  }
  return missing;
}

function foreignAddresses(lock) {
  return Object.entries(lock.packages)
    .filter(([, entry]) => /^(?:https?|git)/.test(entry.resolved ?? ''))
    .map(([path]) => path);
}

/** Dependencies named by a range: what is tested today must be what is installed tomorrow. */
function ranges() {
  const packages = readdirSync(new URL('../packages', import.meta.url)).map((name) => `packages/${name}/package.json`);
  return ['package.json', ...packages].flatMap((path) => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'));
    return Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+[\w.-]*$/.test(version))
      .map(([name, version]) => `${path}: ${name} is "${version}", give its exact version`);
  });
}

const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = missingOptional(lock);
const addressed = foreignAddresses(lock);

if (process.argv.includes('--check')) {
  for (const path of missing.keys()) console.error(`package-lock.json lacks ${path}`);
  for (const path of addressed) console.error(`package-lock.json names a registry's address for ${path}`);
  if (missing.size + addressed.length > 0) {
    console.error('Run `npm run lock` and commit package-lock.json');
    process.exitCode = 1;
  }
  for (const range of ranges()) {
    console.error(range);
    process.exitCode = 1;
  }
} else {
  for (const path of addressed) delete lock.packages[path].resolved;
  for (const [path, entry] of missing) lock.packages[path] = entry;
  // npm's own order: the paths as localeCompare sorts them in English.
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${missing.size} optional packages added, ${addressed.length} addresses removed`);
}
