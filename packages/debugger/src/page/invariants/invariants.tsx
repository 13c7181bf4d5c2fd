/** Every invariant with its sentence; the one that is broken with the two facts, the steps that made them, and what lies between. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import type { BranchView } from '../../engine/protocol.ts';
import { invariantLines, sentenceOf } from '../../engine/invariant-list.ts';
import type { Why } from '../../engine/why.ts';
import { plural } from '../format.ts';
import { ask, seek, shrink } from '../session.ts';
import { branch, frame } from '../store.ts';

export function Invariants(): JSX.Element {
  const current = branch.value;
  const violation = current?.violation ?? null;
  const isOurs = frame.value?.source !== 'lab';
  const groups = isOurs ? [...new Set(invariantLines.map(({ group }) => group))] : [];
  return (
    <div class="invariants">
      {violation !== null && <WhyView />}
      {violation === null && <Verdict steps={current?.length ?? 0} />}
      {violation !== null && frame.value?.source === 'lab' && <p class="hint">{frame.value.unjudged}</p>}
      {groups.map((group) => (
        <section key={group}>
          <h3>{group}</h3>
          <table>
            <tbody>
              {invariantLines
                .filter((line) => line.group === group)
                .map(({ id, sentence }) => (
                  <tr key={id} class={violation?.invariant === id ? 'broken' : ''}>
                    <td class="sign">{signOf(id, current)}</td>
                    <th scope="row">{id}</th>
                    <td>{sentence}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </section>
      ))}
    </div>
  );
}

function Verdict({ steps }: { readonly steps: number }): JSX.Element {
  const unjudged = frame.value?.unjudged ?? null;
  if (unjudged !== null) return <p class="hint">{unjudged}</p>;
  return (
    <p class="verdict good">
      ✓ All {invariantLines.length} hold after each of the {plural(steps, 'step')} of this branch.
    </p>
  );
}

/** Behind the first violation nothing is judged. */
function signOf(id: string, current: BranchView | null): string {
  if (frame.value?.unjudged !== null) return '·';
  if (current === null || current.violation === null) return '✓';
  return current.violation.invariant === id ? '✗' : '·';
}

function WhyView(): JSX.Element | null {
  const why = useSignal<Why | null>(null);
  const key = `${branch.value?.id ?? ''} ${branch.value?.violation?.step ?? ''}`;
  useSignalEffect(() => {
    if (branch.value?.violation === null) return;
    void ask('why', {}).then((answer) => (why.value = answer));
  });
  if (why.value === null) return null;
  const { violation, sentence, firstStep, secondStep, isConnected, slice } = why.value;
  return (
    <section class="why" key={key}>
      <h3>
        ✗ {violation.invariant}: {sentence}
      </h3>
      <div class="facts-side">
        <Fact title="First" text={violation.first} step={firstStep} />
        <span class="but">but</span>
        <Fact title="Then" text={violation.second} step={secondStep} />
      </div>
      <h3>{headingOf(firstStep, isConnected)}</h3>
      <ol class="slice">
        {slice.map(({ step, title }) => (
          <li key={step}>
            <button type="button" aria-pressed={frame.value?.position.step === step} onClick={() => void seek(step)}>
              <span class="step-number">{step}</span> {title}
            </button>
          </li>
        ))}
      </ol>
      <Consequence />
      {frame.value?.isRecording === true ? (
        <p class="hint">
          {frame.value.source === 'nodes'
            ? 'To make it smaller: quorate sim shrink, with the same file.'
            : 'The same seed makes the same run: change the code, and run the test again.'}
        </p>
      ) : (
        <button type="button" class="primary" onClick={() => void shrink()}>
          Shrink this run
        </button>
      )}
    </section>
  );
}

function headingOf(firstStep: number | null, isConnected: boolean): string {
  if (firstStep === null) return 'The step that shows it';
  return isConnected
    ? 'How the one led to the other'
    : 'Nothing led from the one to the other: the second did not know';
}

/** A rule that was broken first, and the harm that came of it. */
function Consequence(): JSX.Element | null {
  const later = branch.value?.consequence ?? null;
  if (later === null) return null;
  return (
    <p class="consequence">
      <b>What came of it, in step {later.step}:</b> {later.invariant}, {sentenceOf(later.invariant)}. {later.first}; but{' '}
      {later.second}.{' '}
      <button type="button" onClick={() => void seek(later.step)}>
        go to step {later.step}
      </button>
    </p>
  );
}

function Fact(props: { readonly title: string; readonly text: string; readonly step: number | null }): JSX.Element {
  const { title, text, step } = props;
  return (
    <div class="fact">
      <h4>{title}</h4>
      <p>{text}</p>
      {step === null ? (
        <span class="hint">No single step made it.</span>
      ) : (
        <button type="button" onClick={() => void seek(step)}>
          go to step {step}
        </button>
      )}
    </div>
  );
}
