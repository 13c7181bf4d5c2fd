/** Begins with a fresh cluster, or with a trace from a file. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { openFile } from '../opening.ts';
import { open } from '../session.ts';
import { dialog } from '../shell/dialogs.ts';
import { Dialog } from './dialog.tsx';

const sizes = [1, 3, 5, 7, 9];
/** Of faults, virtual: about as long a run as one can look through. */
const seconds = 10;
const maxSeed = 0xffff_ffff;

export function Open(): JSX.Element {
  const servers = useSignal(5);
  const seed = useSignal('1');
  const leases = useSignal(false);
  const isSeed = /^\d{1,10}$/.test(seed.value) && Number(seed.value) <= maxSeed;
  return (
    <Dialog title="Open">
      <h3>A fresh cluster</h3>
      <form
        class="line"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSeed) return;
          void open({ kind: 'fresh', servers: servers.value, seed: Number(seed.value), leases: leases.value });
          dialog.value = null;
        }}
      >
        <label>
          Servers{' '}
          <select value={servers.value} onChange={(event) => (servers.value = Number(event.currentTarget.value))}>
            {sizes.map((size) => (
              <option key={size} value={size}>
                {size}
              </option>
            ))}
          </select>
        </label>
        <label>
          Seed{' '}
          <input
            class="number"
            inputMode="numeric"
            value={seed.value}
            onInput={(event) => (seed.value = event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={leases.value} onChange={() => (leases.value = !leases.value)} /> leases
        </label>
        <button type="submit" class="primary" disabled={!isSeed}>
          Begin
        </button>
        <button
          type="button"
          disabled={!isSeed}
          onClick={() => {
            void open({ kind: 'nodes', servers: servers.value, seed: Number(seed.value), seconds });
            dialog.value = null;
          }}
        >
          Run of whole nodes
        </button>
      </form>
      <p class="hint">
        A cluster of cores does as you say. A run of whole nodes is what the simulator makes of the seed: {seconds}{' '}
        seconds of faults of disks, clocks, network and processes, to look at and to change.
      </p>
      <h3>A trace</h3>
      <p class="hint">
        What a search found, a failed run, or a run that was exported here. It stays in this page: nothing is sent
        anywhere.
      </p>
      <input
        type="file"
        accept=".json,.ndjson,application/json"
        aria-label="Trace file"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file === undefined) return;
          void openFile(file);
          dialog.value = null;
        }}
      />
    </Dialog>
  );
}
