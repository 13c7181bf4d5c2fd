/** The page: toolbar above, the chosen view in the middle, what can be done and what was done at the side, time below. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Cluster } from '../cluster/cluster.tsx';
import { Dialogs } from '../dialogs/dialogs.tsx';
import { History } from '../history/history.tsx';
import { Invariants } from '../invariants/invariants.tsx';
import { Logs } from '../logs/logs.tsx';
import { cancel } from '../session.ts';
import { Inspector } from '../side/inspector.tsx';
import { Pending } from '../side/pending.tsx';
import { States } from '../states/states.tsx';
import { SpaceTime } from '../space-time/space-time.tsx';
import { branch, busy, frame, notice, problem, readRemark, type Tab, tab, tabs } from '../store.ts';
import { Timeline } from '../timeline/timeline.tsx';
import { Guide } from '../tours/guide.tsx';
import { underway } from '../tours/tour.ts';
import { onKey } from './keyboard.ts';
import { Toolbar } from './toolbar.tsx';

const views: Readonly<Record<Tab, () => JSX.Element>> = {
  Cluster,
  Logs,
  'Space-time': SpaceTime,
  History,
  Invariants,
  States,
};

export function App(): JSX.Element {
  useEffect(() => {
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const View = views[tab.value];
  return (
    <div class="app">
      <Toolbar />
      <main>
        <Tabs />
        <div class={underway.value === null ? 'view' : 'view touring'} role="tabpanel" aria-label={tab.value}>
          {frame.value !== null && <View />}
          <Messages />
          <Guide />
        </div>
      </main>
      <aside class="side">
        <Pending />
        <Inspector />
      </aside>
      <Timeline />
      <Dialogs />
    </div>
  );
}

function Tabs(): JSX.Element {
  const isBroken = branch.value !== null && branch.value.violation !== null;
  return (
    <div class="tabs" role="tablist">
      {tabs.map((each) => (
        <button
          key={each}
          type="button"
          role="tab"
          aria-selected={tab.value === each}
          onClick={() => (tab.value = each)}
        >
          {each}
          {each === 'Invariants' && isBroken && <span class="badge">✗</span>}
        </button>
      ))}
    </div>
  );
}

function Messages(): JSX.Element | null {
  if (problem.value !== null) {
    return (
      <div class="message problem" role="alert">
        {problem.value}
        <Close onClick={() => (problem.value = null)} />
      </div>
    );
  }
  if (busy.value !== null) {
    return (
      <div class="message" role="status">
        {busy.value}
        <button type="button" onClick={cancel}>
          Stop
        </button>
      </div>
    );
  }
  const remark = frame.value?.remark ?? null;
  const said = notice.value ?? (remark === readRemark.value ? null : remark);
  if (said === null) return null;
  const close = (): void => {
    if (notice.value === null) readRemark.value = remark;
    notice.value = null;
  };
  return (
    <div class="message" role="status">
      {said}
      <Close onClick={close} />
    </div>
  );
}

function Close({ onClick }: { readonly onClick: () => void }): JSX.Element {
  return (
    <button type="button" class="close" aria-label="Close" onClick={onClick}>
      ×
    </button>
  );
}
