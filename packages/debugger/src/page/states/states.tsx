/** What lies ahead of a moment: the graph of states, how many there are at each depth, what turned the search back, and what came near the goal. */
import type { JSX } from 'preact';
import type { ExplorationView, NearState } from '../../engine/explore.ts';
import { describePredicate } from '../../engine/predicates.ts';
import { plural } from '../format.ts';
import { offered } from '../offered.ts';
import { goToState } from '../session.ts';
import { frame } from '../store.ts';
import { chosen, depth, explored, exploreAhead, goal, maxDepth } from './exploring.ts';
import { Graph } from './graph.tsx';

export function States(): JSX.Element {
  if (frame.value?.isRecording === true) {
    return (
      <p class="history hint">
        What else could have happened is searched for in worlds of cores, which can be stopped and copied: open a fresh
        cluster, or what quorate check has found.
      </p>
    );
  }
  const found = explored.value;
  return (
    <div class="states">
      <Wishes />
      {found === null ? (
        <p class="hint">
          Every order of what may happen next: messages, timers, disks, a crash, a request. A world without a clock
          (quorate check) has the fewest states, because only the order counts there.
        </p>
      ) : (
        <Found view={found.view} from={found.from} />
      )}
    </div>
  );
}

function Wishes(): JSX.Element {
  const predicates = offered().filter(({ kind }) => kind !== 'violation');
  const at = predicates.findIndex(
    (each) => goal.value !== null && describePredicate(each) === describePredicate(goal.value),
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        exploreAhead();
      }}
    >
      <div class="bar">
        <button type="submit" class="primary" title="Explore the states ahead  e">
          Explore from here
        </button>
        <label>
          Goal{' '}
          <select value={at} onChange={(event) => (goal.value = predicates[Number(event.currentTarget.value)] ?? null)}>
            <option value={-1}>none: see what there is</option>
            {predicates.map((predicate, place) => (
              <option key={describePredicate(predicate)} value={place}>
                {describePredicate(predicate)}
              </option>
            ))}
          </select>
        </label>
        <label>
          Depth{' '}
          <input
            class="number"
            type="number"
            min={1}
            max={maxDepth}
            value={depth.value}
            onInput={(event) => {
              const wanted = Number(event.currentTarget.value);
              if (Number.isInteger(wanted) && wanted >= 1 && wanted <= maxDepth) depth.value = wanted;
            }}
          />
        </label>
      </div>
    </form>
  );
}

function Found({ view, from }: { readonly view: ExplorationView; readonly from: string }): JSX.Element {
  const node = view.nodes.find(({ id }) => id === chosen.value);
  return (
    <>
      <p class="verdict">
        From {from}: {view.text}
      </p>
      <Graph view={view} />
      <p class="said" aria-live="polite">
        {node === undefined ? (
          <span class="hint">
            {plural(view.nodes.length, 'state')} of the first depths; choose one to see it. A ring is open: what follows
            from it is not drawn.
          </span>
        ) : (
          <>
            <span class="step-number">{node.depth}</span> {node.step || 'here'}
            <span class="hint"> {node.text}</span>
            <button type="button" onClick={() => void goToState('picture', node.id)}>
              go there
            </button>
          </>
        )}
      </p>
      <div class="tables">
        <Levels levels={view.levels} />
        <Counts title="Steps by kind" rows={view.taken} />
        <Counts title="Turned back" rows={view.refused} none="Nothing was refused for want of a budget." />
        <Nearest view={view} />
      </div>
      {view.cut.length > 0 && (
        <ul class="cut">
          {view.cut.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function Levels({ levels }: { readonly levels: readonly number[] }): JSX.Element {
  const most = Math.max(1, ...levels);
  return (
    <section>
      <h3>States by depth</h3>
      <table class="levels">
        <tbody>
          {levels.map((count, at) => (
            <tr key={`${at}`}>
              <th scope="row">{at}</th>
              <td class="count">{count}</td>
              <td>
                <span class="width" style={{ width: `${Math.max(1, (count / most) * 120)}px` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Counts(props: {
  readonly title: string;
  readonly rows: readonly (readonly [name: string, count: number])[];
  readonly none?: string;
}): JSX.Element {
  const { title, rows, none } = props;
  return (
    <section>
      <h3>{title}</h3>
      {rows.length === 0 && none !== undefined && <p class="hint">{none}</p>}
      <table>
        <tbody>
          {rows.map(([name, count]) => (
            <tr key={name}>
              <td class="count">{count}</td>
              <td>{name}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Nearest({ view }: { readonly view: ExplorationView }): JSX.Element | null {
  if (goal.value === null) return null;
  return (
    <section>
      <h3>Closest to the goal</h3>
      {view.nearest.length === 0 && (
        <p>
          <button type="button" onClick={() => void goToState('near', -1)}>
            go where it is so
          </button>
        </p>
      )}
      <ol class="nearest">
        {view.nearest.map((near, place) => (
          <li key={`${place}`}>
            <NearLine near={near} />{' '}
            <button type="button" onClick={() => void goToState('near', place)}>
              go there
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function NearLine({ near }: { readonly near: NearState }): JSX.Element {
  return (
    <>
      after {plural(near.depth, 'step')}, lacking: {near.lacking.join('; ')}
    </>
  );
}
