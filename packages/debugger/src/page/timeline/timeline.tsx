/** The steps of every branch, one row each: nothing that was ever done is thrown away, and every moment is a click away. */
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { BranchView } from '../../engine/protocol.ts';
import { direction, stop } from '../player.ts';
import { seek } from '../session.ts';
import { dialog } from '../shell/dialogs.ts';
import { frame } from '../store.ts';
import { compared } from '../dialogs/compare-choice.ts';
import { Glimpse, glimpse, noGlimpse } from './glimpse.tsx';
import { inset, rowHeight } from './measures.ts';
import { Tracks } from './tracks.tsx';

export function Timeline(): JSX.Element {
  const moment = frame.value;
  const branches = moment?.branches ?? [];
  const current = moment?.position.branch ?? 0;
  return (
    <section class="timeline" aria-label="Time line and branches">
      <div class="rows">
        <ul class="names">
          {branches.map((branch) => (
            <li key={branch.id} class={branch.id === current ? 'current' : ''}>
              <button
                type="button"
                class="name"
                aria-pressed={branch.id === current}
                onClick={() => void seek(goodStep(branch, branches, current), branch.id)}
                onPointerEnter={(event) => void glimpse(branch, event.currentTarget)}
                onFocus={(event) => void glimpse(branch, event.currentTarget)}
                onPointerLeave={noGlimpse}
                onBlur={noGlimpse}
              >
                {branch.name}
              </button>
              {branch.id !== current && (
                <button
                  type="button"
                  class="compare"
                  title="Compare with the branch that is looked at"
                  onClick={() => {
                    compared.value = branch.id;
                    dialog.value = 'compare';
                  }}
                >
                  compare
                </button>
              )}
            </li>
          ))}
        </ul>
        <Scrubber branches={branches} current={current} />
      </div>
      <Glimpse />
    </section>
  );
}

/** Where two branches part is what one wants to see of the other. */
function goodStep(branch: BranchView, branches: readonly BranchView[], current: number): number {
  if (branch.parent === current) return Math.min(branch.length, branch.forkAt + 1);
  const here = branches.find(({ id }) => id === current);
  return here?.parent === branch.id ? Math.min(branch.length, here.forkAt + 1) : branch.length;
}

function Scrubber({
  branches,
  current,
}: {
  readonly branches: readonly BranchView[];
  readonly current: number;
}): JSX.Element {
  const track = useRef<HTMLDivElement>(null);
  const step = frame.value?.position.step ?? 0;
  const longest = Math.max(1, ...branches.map(({ length }) => length));
  const here = branches.find(({ id }) => id === current);
  const scrub = (event: PointerEvent): void => {
    if (event.buttons !== 1 || track.current === null) return;
    const { left, top, width } = track.current.getBoundingClientRect();
    const row = branches[Math.floor((event.clientY - top) / rowHeight)] ?? here;
    const chosen = event.type === 'pointerdown' ? row : here;
    if (chosen === undefined) return;
    if (direction.value !== 0) stop();
    const share = (event.clientX - left - inset) / (width - 2 * inset);
    void seek(Math.max(0, Math.min(chosen.length, Math.round(share * longest))), chosen.id);
  };
  return (
    <div
      class="tracks"
      ref={track}
      role="slider"
      tabIndex={0}
      aria-label="Step"
      aria-valuemin={0}
      aria-valuemax={here?.length ?? 0}
      aria-valuenow={step}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        scrub(event);
      }}
      onPointerMove={scrub}
    >
      <Tracks branches={branches} current={current} step={step} longest={longest} />
    </div>
  );
}
