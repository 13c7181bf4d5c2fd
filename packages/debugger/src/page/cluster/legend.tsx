/** What shapes and borders mean, for whoever sees them for the first time. */
import type { JSX } from 'preact';

export function Legend(): JSX.Element {
  return (
    <details class="legend">
      <summary>Legend</summary>
      <dl>
        <dt>⬡ ◇ ○ □</dt>
        <dd>leads, stands, follows (with eight corners: without a vote), is down; dashed: not sure of it</dd>
        <dt>arc</dt>
        <dd>how long it still waits before it stands for election; of a leader: before it counts its quorum</dd>
        <dt>outer arc</dt>
        <dd>a leader’s lease: how long it still answers reads without asking</dd>
        <dt>■ ▲ ● ◆</dt>
        <dd>entries, votes, heartbeats, everything else; hollow: the answer</dd>
        <dt>▦ below</dt>
        <dd>the newest entries by term; firm border: durable; bar: committed</dd>
        <dt>draw a line</dt>
        <dd>cuts the links that it crosses</dd>
      </dl>
    </details>
  );
}
