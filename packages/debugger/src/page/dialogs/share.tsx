/** The run as a link that holds its decisions, or as a file for elsewhere. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import type { ExportForm } from '../../engine/protocol.ts';
import { exportAs, link, report } from '../session.ts';
import { frame } from '../store.ts';
import { Dialog } from './dialog.tsx';

const forms: readonly {
  readonly form: ExportForm;
  readonly name: string;
  readonly file: string;
  readonly says: string;
}[] = [
  { form: 'trace', name: 'Trace', file: 'run.trace.json', says: 'opens here and in quorate debug' },
  { form: 'scenario', name: 'Scenario text', file: 'run.txt', says: 'every step in words' },
  { form: 'test', name: 'Test', file: 'run.test.ts', says: 'does the same again in vitest' },
  { form: 'mermaid', name: 'Mermaid', file: 'run.mmd', says: 'a sequence diagram for documents' },
];

export function Share(): JSX.Element {
  return frame.value?.isRecording === true ? (
    <Dialog title="Share and export">
      <SharedRecording />
    </Dialog>
  ) : (
    <ShareRun />
  );
}

function SharedRecording(): JSX.Element {
  if (frame.value?.source !== 'nodes')
    return <p>This is a recording: share the file, or the data directories, that it was opened from.</p>;
  return (
    <>
      <p>
        A run of whole nodes is its seed and what its adversary did: a small file, for <code>quorate debug</code>,{' '}
        <code>quorate sim replay</code> and <code>quorate sim shrink</code>.
      </p>
      <button
        type="button"
        class="primary"
        onClick={() => void exportAs('trace').then((made) => made !== null && save('run.trace.json', made))}
      >
        Trace of this branch
      </button>
    </>
  );
}

function ShareRun(): JSX.Element {
  const address = useSignal<string | null>(null);
  const isCopied = useSignal(false);
  const text = useSignal<string | null>(null);
  useSignalEffect(() => {
    void link().then((made) => {
      if (made !== null) address.value = `${location.origin}${location.pathname}#d=${made}`;
    });
  });
  const copy = (what: string): void => {
    navigator.clipboard.writeText(what).then(() => (isCopied.value = true), report);
  };
  return (
    <Dialog title="Share and export">
      <h3>A link to this moment</h3>
      <p class="hint">
        It holds the decisions of this branch, and nothing is sent anywhere: whoever opens it runs them again.
      </p>
      <div class="line">
        <input class="grow" readOnly value={address.value ?? 'This run is too long for a link.'} aria-label="Link" />
        <button
          type="button"
          class="primary"
          disabled={address.value === null}
          onClick={() => copy(address.value ?? '')}
        >
          {isCopied.value ? 'Copied' : 'Copy'}
        </button>
      </div>
      <h3>A file</h3>
      <ul class="forms">
        {forms.map(({ form, name, file, says }) => (
          <li key={form}>
            <button type="button" onClick={() => void exportAs(form).then((made) => made !== null && save(file, made))}>
              {name}
            </button>
            <span class="hint">{says}</span>
            <button type="button" class="quiet" onClick={() => void exportAs(form).then((made) => (text.value = made))}>
              show
            </button>
          </li>
        ))}
      </ul>
      {text.value !== null && (
        <pre class="exported" tabIndex={0}>
          {text.value}
        </pre>
      )}
    </Dialog>
  );
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(url);
}
