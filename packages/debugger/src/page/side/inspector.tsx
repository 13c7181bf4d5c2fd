/** The step under the glass: what came in, what the core asked for, what changed; and a server's whole state for those who want it. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import type { Happening, OutputLine } from '../../engine/happening.ts';
import { shortName } from '../../engine/names.ts';
import type { LeaseView, ServerView } from '../../engine/views.ts';
import { formatMicros } from '../format.ts';
import { ask } from '../session.ts';
import { frame, selectedServer } from '../store.ts';

const views = ['Step', 'Server', 'Raw'] as const;

export function Inspector(): JSX.Element {
  const view = useSignal<(typeof views)[number]>('Step');
  const id = selectedServer.value;
  const server = frame.value?.servers.find((each) => each.id === id);
  return (
    <section class="panel inspector" aria-label="Inspector">
      <header>
        <h2>Inspector</h2>
        <div class="filters" role="group" aria-label="What to inspect">
          {views.map((each) => (
            <button key={each} type="button" aria-pressed={view.value === each} onClick={() => (view.value = each)}>
              {each === 'Server' && id !== null ? shortName(id) : each}
            </button>
          ))}
        </div>
      </header>
      <div class="scroll">
        {view.value === 'Step' && <StepView happened={frame.value?.happened ?? null} />}
        {view.value === 'Server' && server !== undefined && <Facts server={server} />}
        {view.value === 'Raw' && id !== null && <Raw id={id} />}
      </div>
    </section>
  );
}

function StepView({ happened }: { readonly happened: Happening | null }): JSX.Element {
  if (happened === null) return <p class="hint">The beginning. Every server has just started, and waits.</p>;
  return (
    <>
      <p class="headline">
        <span class="step-number">{happened.step}</span> {happened.title}
      </p>
      {happened.diff.length > 0 && (
        <Block title="changed">
          <table class="diff">
            <tbody>
              {happened.diff.map(({ field, before, after }) => (
                <tr key={field}>
                  <th scope="row">{field}</th>
                  <td class="before">{before}</td>
                  <td aria-hidden="true">→</td>
                  <td class="after">{after}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Block>
      )}
      {happened.inputs.length > 0 && <Block title="handed in">{lines(happened.inputs)}</Block>}
      {happened.outputs.length > 0 && (
        <Block title="asked for">
          <ul class="lines">
            {happened.outputs.map((line, at) => (
              <li key={`${at}`} class={line.kind}>
                <span class="verb">{verbs[line.kind]}</span> {line.text}
              </li>
            ))}
          </ul>
        </Block>
      )}
    </>
  );
}

const verbs: Readonly<Record<OutputLine['kind'], string>> = {
  persist: 'write',
  send: 'send',
  wait: 'hold',
  arm: 'arm',
  apply: 'apply',
  restore: 'restore',
  load: 'load',
  answer: 'answer',
  event: 'says',
};

function Block({ title, children }: { readonly title: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="block">
      <h3>{title}</h3>
      {children}
    </div>
  );
}

function lines(texts: readonly string[]): JSX.Element {
  return (
    <ul class="lines">
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

function leaseWords({ until }: LeaseView, now: number): string {
  return now < until ? `for ${formatMicros(until - now)} more` : `ran out ${formatMicros(now - until)} ago`;
}

function Facts({ server }: { readonly server: ServerView }): JSX.Element {
  const { log } = server;
  const facts: readonly (readonly [string, string])[] = [
    ['role', server.condition === 'down' ? 'down' : server.role],
    ['term', String(server.term)],
    ['vote', server.vote === null ? 'none' : shortName(server.vote)],
    ['leader', server.leader === null ? 'unknown' : shortName(server.leader)],
    ['protects its leader', server.isSticky ? 'yes' : 'no'],
    ...(server.lease === null ? [] : [['lease', leaseWords(server.lease, frame.value?.now ?? 0)] as const]),
    ['log', `${log.base + 1}–${log.last}`],
    ['durable up to', String(log.durable)],
    ['committed up to', String(log.commit)],
    ['applied up to', String(log.applied)],
    ['snapshot', log.snapshot === 0 ? 'none' : `up to ${log.snapshot}`],
    ['writes under way', String(server.pendingBatches)],
  ];
  return (
    <>
      <table class="facts">
        <tbody>
          {facts.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {server.followers.length > 0 && (
        <table class="followers">
          <thead>
            <tr>
              <th>follower</th>
              <th>match</th>
              <th>next</th>
              <th>state</th>
            </tr>
          </thead>
          <tbody>
            {server.followers.map(({ id, match, next, state }) => (
              <tr key={id}>
                <td>{shortName(id)}</td>
                <td>{match}</td>
                <td>{next}</td>
                <td>{state}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {server.broken !== null && <p class="broken">{server.broken}</p>}
    </>
  );
}

function Raw({ id }: { readonly id: string }): JSX.Element {
  const text = useSignal('');
  useSignalEffect(() => {
    const wanted = selectedServer.value;
    if (frame.value === null || wanted === null) return;
    void ask('raw', { server: wanted }).then((answer) => (text.value = answer ?? ''));
  });
  return (
    <pre class="raw" aria-label={`State of ${id}`}>
      {text.value}
    </pre>
  );
}
