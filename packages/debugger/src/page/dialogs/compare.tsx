/** Two branches side by side. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import type { Comparison } from '../../engine/compare.ts';
import { plural } from '../format.ts';
import { ask } from '../session.ts';
import { compared } from './compare-choice.ts';
import { Dialog } from './dialog.tsx';

export function Compare(): JSX.Element {
  const comparison = useSignal<Comparison | null>(null);
  useSignalEffect(() => {
    if (compared.value === null) return;
    void ask('compare', { branch: compared.value }).then((answer) => (comparison.value = answer));
  });
  const view = comparison.value;
  return (
    <Dialog title="Two branches" isWide>
      {view !== null && (
        <>
          <p class="hint">They share {plural(view.shared, 'step')}. Lines that differ are marked.</p>
          <div class="sides">
            <table>
              <thead>
                <tr>
                  <th>step</th>
                  {view.names.map((name) => (
                    <th key={name}>{name}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {view.steps.map(({ step, titles: [one, other] }) => (
                  <tr key={step} class={one === other ? '' : 'differs'}>
                    <th scope="row">{step}</th>
                    <td>{one ?? '—'}</td>
                    <td>{other ?? '—'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {view.left > 0 && <p class="hint">{plural(view.left, 'more step')}</p>}
          <h3>Where each left the servers</h3>
          <table class="ends">
            <tbody>
              {view.servers.flatMap(({ server, facts }) =>
                facts.map(({ name, values: [one, other] }, at) => (
                  <tr key={`${server}${name}`} class={one === other ? '' : 'differs'}>
                    <th scope="row">{at === 0 ? server : ''}</th>
                    <th scope="row">{name}</th>
                    <td>{one}</td>
                    <td>{other}</td>
                  </tr>
                )),
              )}
            </tbody>
          </table>
        </>
      )}
    </Dialog>
  );
}
