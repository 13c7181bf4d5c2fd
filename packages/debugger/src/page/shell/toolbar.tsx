/** The bar on top: what is looked at, the ways through time, and what can be done with the whole of it. */
import type { JSX } from 'preact';
import { formatMicros, formatRate } from '../format.ts';
import { direction, maxSpeed, minSpeed, play, speed, stop } from '../player.ts';
import { stepBy, toEnd, toStart } from '../session.ts';
import { branch, frame, playhead, tab } from '../store.ts';
import { nextTheme, themeChoice } from '../theme.ts';
import { dialog, type DialogName } from './dialogs.ts';
import { Icon, type IconName } from './icons.tsx';

/** A running server hands out this page: there is a cluster to go back to. */
const isOfServer = location.pathname.includes('/debug/ui/');

export function Toolbar(): JSX.Element {
  return (
    <header class="toolbar">
      <h1>
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <path d="M12 2.6 21 9.2 17.6 20H6.4L3 9.2Z" fill="none" stroke="currentColor" stroke-width="1.6" />
          <circle cx="21" cy="9.2" r="2.6" fill="currentColor" />
        </svg>
        Quorate
      </h1>
      <span class="title" title={frame.value?.title}>
        {frame.value?.title ?? 'opening…'}
      </span>
      <Transport />
      <Speed />
      <Clock />
      <span class="spring" />
      <Violation />
      {isOfServer && (
        <a class="quiet" href="#live" title="The cluster as it is now">
          Live
        </a>
      )}
      <Opens name="run" text="Run until…" keys="u" />
      <Opens name="tours" text="Tours" keys="t" />
      <Opens name="open" text="Open" keys="o" />
      <Opens name="share" text="Share" keys="s" />
      <button type="button" class="quiet" onClick={nextTheme} title="Theme  d">
        <Icon name={themeChoice.value} />
        <span class="spoken">Theme: {themeChoice.value}</span>
      </button>
      <Opens name="help" text="?" keys="?" spoken="Help" />
    </header>
  );
}

function Opens(props: {
  readonly name: DialogName;
  readonly text: string;
  readonly keys: string;
  readonly spoken?: string;
}): JSX.Element {
  const { name, text, keys, spoken } = props;
  return (
    <button
      type="button"
      class="quiet"
      title={`${spoken ?? text}  ${keys}`}
      aria-label={spoken ?? text}
      onClick={() => (dialog.value = name)}
    >
      {text}
    </button>
  );
}

function Transport(): JSX.Element {
  const going = direction.value;
  return (
    <div class="transport" role="group" aria-label="Time">
      <Button icon="first" label="To the beginning" keys="Home" onClick={() => void toStart()} />
      <Button icon="back" label="Step back" keys="p" onClick={() => void stepBy(-1)} />
      <Button
        icon={going === -1 ? 'pause' : 'playBack'}
        label="Play back"
        keys="Shift Space"
        isOn={going === -1}
        onClick={() => play(-1)}
      />
      <Button
        icon={going === 1 ? 'pause' : 'play'}
        label="Play"
        keys="Space"
        isOn={going === 1}
        onClick={() => play(1)}
      />
      <Button icon="forward" label="Step" keys="n" onClick={() => void stepBy(1)} />
      <Button icon="last" label="To the end" keys="End" onClick={() => void toEnd()} />
    </div>
  );
}

function Button(props: {
  readonly icon: IconName;
  readonly label: string;
  readonly keys: string;
  readonly isOn?: boolean;
  readonly onClick: () => void;
}): JSX.Element {
  const { icon, label, keys, isOn, onClick } = props;
  const onPress = (): void => {
    if (isOn === undefined) stop();
    onClick();
  };
  return (
    <button type="button" aria-label={label} aria-pressed={isOn} title={`${label}  ${keys}`} onClick={onPress}>
      <Icon name={icon} />
    </button>
  );
}

function Speed(): JSX.Element {
  const text = formatRate(10 ** speed.value);
  return (
    <label class="speed" title="Speed, on a logarithmic scale  + −">
      <span class="spoken">Speed</span>
      <input
        type="range"
        min={minSpeed}
        max={maxSpeed}
        step={0.1}
        value={speed.value}
        aria-valuetext={text}
        onInput={(event) => (speed.value = Number(event.currentTarget.value))}
      />
      <output>{text}</output>
    </label>
  );
}

function Clock(): JSX.Element {
  const moment = frame.value;
  return (
    <div class="clock">
      <Time />
      <span>
        step {moment?.position.step ?? 0} of {branch.value?.length ?? 0}
      </span>
    </div>
  );
}

/** Alone, because it changes with every picture. */
function Time(): JSX.Element {
  return <b>{formatMicros(playhead.value)}</b>;
}

function Violation(): JSX.Element | null {
  const violation = branch.value?.violation ?? null;
  if (violation === null) return null;
  return (
    <button
      type="button"
      class="alarm"
      title={`${violation.first}; but ${violation.second}  y`}
      onClick={() => (tab.value = 'Invariants')}
    >
      ✗ {violation.invariant}, step {violation.step}
    </button>
  );
}
