/** Plays the run forward and back: virtual time flows with real time at a chosen rate, and steps are taken as they come due. */
import { signal } from '@preact/signals';
import { playTo, stepBy } from './session.ts';
import { frame, playhead } from './store.ts';
import { isMotionReduced } from './theme.ts';

/** -1 back, 0 still, 1 forward. */
export const direction = signal<-1 | 0 | 1>(0);

/** Virtual time to real time, as a power of ten: from a thousandth to ten times. */
export const minSpeed = -3.5;
export const maxSpeed = 1;
export const speed = signal(-1);

/** At most so many steps for one picture: at a high rate pictures are left out, not steps. */
const maxStepsPerPicture = 400;
/** With reduced motion: steps a second. */
const calmStepsPerSecond = 2;
const longestPause = 100;

let last = 0;
/** The request for the next picture; null at rest. */
let picture: number | null = null;
let isAsking = false;
/** To rest as soon as the steps that were asked for are shown: the engine has taken them already. */
let isStopping = false;
let calmSince = 0;

/** Plays in that direction, or stops where it does so already. */
export function play(wanted: -1 | 1): void {
  if (direction.value === wanted && !isStopping) return stop();
  isStopping = false;
  direction.value = wanted;
  last = 0;
  picture ??= requestAnimationFrame(turn);
}

export function stop(): void {
  if (isAsking) isStopping = true;
  else rest();
}

function rest(): void {
  if (picture !== null) cancelAnimationFrame(picture);
  picture = null;
  isStopping = false;
  direction.value = 0;
}

function turn(now: number): void {
  const moment = frame.value;
  if (moment === null) return rest();
  picture = requestAnimationFrame(turn);
  // A page that was in the background goes on where it was, and does not catch up.
  const elapsed = last === 0 ? 0 : Math.min(now - last, longestPause);
  last = now;
  if (isAsking) return;
  if (isMotionReduced.value) return calmly(now);
  const rate = 10 ** speed.value;
  const at = playhead.value + direction.value * elapsed * 1000 * rate;
  if (direction.value > 0) forward(at, moment.nextAt);
  else back(at, moment.now, moment.position.step);
}

function forward(at: number, nextAt: number | null): void {
  if (nextAt === null) return stop();
  if (at < nextAt) playhead.value = at;
  else wait(playTo(at, maxStepsPerPicture).then((moved) => moved && keep(at)));
}

function back(at: number, now: number, step: number): void {
  if (step === 0 && at <= 0) return stop();
  if (at >= now) playhead.value = at;
  else wait(playTo(Math.max(0, Math.floor(at)), maxStepsPerPicture).then((moved) => moved && keep(at)));
}

/** The playhead goes on from where time is, not from the last step. */
function keep(at: number): boolean {
  const moment = frame.value;
  if (moment === null) return false;
  playhead.value = Math.max(moment.now, Math.min(at, moment.nextAt ?? moment.now));
  return true;
}

function calmly(now: number): void {
  if (now - calmSince < 1000 / calmStepsPerSecond) return;
  calmSince = now;
  wait(stepBy(direction.value));
}

function wait(asked: Promise<boolean>): void {
  isAsking = true;
  void asked.then((moved) => {
    isAsking = false;
    if (isStopping || !moved) rest();
  });
}
