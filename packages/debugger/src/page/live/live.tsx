/** The cluster as it is, as one of its servers sees it. The leader sees how far the others are; the others see themselves. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { palette, termColour } from '../theme.ts';
import { whyNoFlight } from './flight.ts';
import { type LiveStatus, type Look, paceOf, readStatus } from './status.ts';

const lookEvery = 500;
/** Two minutes. */
const maxLooks = 240;

const looks = signal<readonly Look[]>([]);
const trouble = signal<string | null>(null);
/** Why there is no recording to open; null until somebody asks. */
const noFlight = signal<string | null>(null);

export function Live(): JSX.Element {
  useEffect(() => {
    void look();
    const timer = setInterval(() => void look(), lookEvery);
    document.addEventListener('keydown', onKey);
    return () => {
      clearInterval(timer);
      document.removeEventListener('keydown', onKey);
    };
  }, []);
  const status = looks.value[looks.value.length - 1]?.status;
  return (
    <div class="live">
      <header>
        <h1>Quorate</h1>
        <span class="hint">
          {status === undefined
            ? 'asking…'
            : `as ${status.name} sees it, up ${upTime(status.uptimeMs)}, version ${status.version}`}
        </span>
        <span class="spring" />
        <button
          type="button"
          class="primary"
          title="Its flight recording, step by step  f"
          onClick={() => void openFlight()}
        >
          Open its flight recording
        </button>
        <a href="#fresh">Step a simulated cluster</a>
      </header>
      {noFlight.value !== null && (
        <p class="trouble-line" role="status">
          {noFlight.value}
        </p>
      )}
      {trouble.value !== null && (
        <p class="trouble-line" role="alert">
          {trouble.value}
        </p>
      )}
      {status !== undefined && <Overview status={status} />}
      {status !== undefined && <Members status={status} />}
    </div>
  );
}

/** Where it cannot be opened this page stays, and says why. */
async function openFlight(): Promise<void> {
  noFlight.value = await whyNoFlight();
  if (noFlight.value === null) location.hash = '#flight';
}

function onKey({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): void {
  if (key === 'f' && !ctrlKey && !metaKey && !altKey) void openFlight();
}

async function look(): Promise<void> {
  try {
    const answer = await fetch('../raft', { signal: AbortSignal.timeout(5_000) });
    const status = readStatus(await answer.json());
    if (status === null) throw new Error(`the answer of /debug/raft (${answer.status}) is not understood`);
    looks.value = [...looks.value.slice(1 - maxLooks), { at: performance.now(), status }];
    trouble.value = null;
  } catch (error) {
    trouble.value = `The server does not answer: ${error instanceof Error ? error.message : String(error)}. What is below was true before.`;
  }
}

function Overview({ status }: { readonly status: LiveStatus }): JSX.Element {
  const { perSecond, curve, pause } = paceOf(looks.value);
  return (
    <dl class="overview">
      <Figure name="role" value={status.role} />
      <Figure name="leader" value={status.leaderName ?? 'none'} />
      <Figure name="term" value={String(status.term)} />
      <Figure name="committed" value={String(status.commitIndex)} />
      <Figure name="entries a second" value={perSecond.toFixed(perSecond < 10 ? 1 : 0)}>
        <Curve values={curve} />
      </Figure>
      <Figure name="writes, reads waiting" value={`${status.pendingProposals}, ${status.pendingReads}`} />
      <Figure
        name="last pause"
        value={pause === null ? 'none seen' : `${Math.round(pause.ms)} ms, ${Math.round(pause.agoMs / 1000)} s ago`}
      />
    </dl>
  );
}

function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly children?: JSX.Element;
}): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
      {props.children}
    </div>
  );
}

function Curve({ values }: { readonly values: readonly number[] }): JSX.Element {
  const most = Math.max(1, ...values);
  const points = values.map(
    (value, at) => `${(at / Math.max(1, values.length - 1)) * 120},${28 - (value / most) * 26}`,
  );
  return (
    <svg width="120" height="30" aria-hidden="true">
      <polyline points={points.join(' ')} fill="none" stroke="currentColor" stroke-width="1.5" />
    </svg>
  );
}

function Members({ status }: { readonly status: LiveStatus }): JSX.Element {
  const members = [...status.configuration.members].sort((a, b) => ((a.name ?? a.id) < (b.name ?? b.id) ? -1 : 1));
  return (
    <table class="members">
      <thead>
        <tr>
          <th>server</th>
          <th>role</th>
          <th>has up to</th>
          <th>behind</th>
          <th>in flight</th>
          <th>heard of</th>
        </tr>
      </thead>
      <tbody>
        {members.map(({ id, name }) => (
          <tr key={id} class={id === status.id ? 'own' : ''}>
            <th scope="row">
              <span class="dot" style={{ background: termColour(palette.value, status.term) }} aria-hidden="true" />
              {name ?? id}
            </th>
            <Member id={id} status={status} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Member({ id, status }: { readonly id: string; readonly status: LiveStatus }): JSX.Element {
  const { configuration, followers, lastIndex } = status;
  const seat = configuration.learners.includes(id) ? 'learner' : 'voter';
  if (id === status.id) {
    return (
      <>
        <td>{`${status.role}, ${seat}`}</td>
        <td>{status.durableIndex}</td>
        <td>{lastIndex - status.durableIndex}</td>
        <td>–</td>
        <td>itself</td>
      </>
    );
  }
  const follower = followers.find((each) => each.id === id);
  if (follower === undefined) {
    const isLeader = configuration.members.find((member) => member.id === id)?.name === status.leaderName;
    return (
      <>
        <td>{`${isLeader ? 'leader' : 'follower'}, ${seat}`}</td>
        <td colSpan={4} class="hint">
          the leader knows
        </td>
      </>
    );
  }
  const { matchIndex, inflightMessages, lastContactMs, state } = follower;
  return (
    <>
      <td>{`follower, ${seat}${state === 'replicate' ? '' : `, ${state}`}`}</td>
      <td>{matchIndex}</td>
      <td>{Math.max(0, lastIndex - matchIndex)}</td>
      <td>{inflightMessages}</td>
      <td>{lastContactMs === null ? 'never in this term' : `${lastContactMs} ms ago`}</td>
    </>
  );
}

function upTime(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 1
    ? `${Math.floor(ms / 1000)} s`
    : minutes < 120
      ? `${minutes} min`
      : `${Math.floor(minutes / 60)} h`;
}
