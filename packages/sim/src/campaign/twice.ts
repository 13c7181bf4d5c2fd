/** A seed run twice must go the same way at every step: whatever differs was not decided by the seed. */
import type { RunLimits } from '../swarm/options.ts';
import { Violation, type WorldWatcher } from '../watch.ts';
import { runSeed, type SeedResult, type WatcherFactory } from './run-seed.ts';
import { StateHash } from './state-hash.ts';

/** The result of the second run; its violation is M1 if it went another way than the first. */
export function runTwice(seed: number, limits: RunLimits, watch: WatcherFactory): SeedResult {
  const first = new Trail(null);
  runSeed(seed, limits, (...made) => [...watch(...made), first.watcher]);
  const second = new Trail(first.hashes);
  const result = runSeed(seed, limits, (...made) => [...watch(...made), second.watcher]);
  if (result.violation !== null || second.hashes.length === first.hashes.length) return result;
  const violation = new Violation(
    'M1',
    `the first run of seed ${seed} had ${first.hashes.length} events`,
    `the second had ${second.hashes.length}`,
  );
  return { ...result, violation };
}

/** The hash after every event. */
class Trail {
  readonly hashes: number[] = [];
  readonly watcher: WorldWatcher;
  readonly #before: readonly number[] | null;
  readonly #hash = new StateHash();

  constructor(before: readonly number[] | null) {
    this.#before = before;
    const hash = this.#hash;
    const followed =
      <Arguments extends readonly unknown[]>(name: string, call: (...given: Arguments) => void) =>
      (...given: Arguments): void => {
        call(...given);
        this.#follow(name, given);
      };
    this.watcher = {
      onStart: followed('a start', hash.onStart.bind(hash)),
      onInput: followed('an input', hash.onInput.bind(hash)),
      onOutput: followed('an output', hash.onOutput.bind(hash)),
      onSend: () => undefined,
      onApply: followed('an application', hash.onApply.bind(hash)),
      onRestore: followed('a restore', hash.onRestore.bind(hash)),
      onCrash: followed('a crash', hash.onCrash.bind(hash)),
      onFatal: followed('an end', hash.onFatal.bind(hash)),
      onDamage: followed('damage', hash.onDamage.bind(hash)),
    };
  }

  #follow(name: string, given: readonly unknown[]): void {
    const at = this.hashes.push(this.#hash.value) - 1;
    if (this.#before === null || this.#before[at] === this.#hash.value) return;
    const second = `the second run parts there: ${name} ${JSON.stringify(given).slice(0, 300)}`;
    throw new Violation('M1', `two runs of a seed are the same up to event ${at}`, second);
  }
}
