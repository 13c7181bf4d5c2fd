/** Where an entry comes from and who holds it. */
import type { JSX } from 'preact';
import { shortName } from '../../engine/names.ts';
import type { EntryStory, EntryView } from '../../engine/views.ts';

export function StoryCard(props: {
  readonly entry: EntryView;
  readonly story: EntryStory | null;
  readonly x: number;
  readonly y: number;
}): JSX.Element {
  const { entry, story, x, y } = props;
  return (
    <div class="story" role="tooltip" style={{ left: `${Math.min(x, innerWidth - 300)}px`, top: `${y + 4}px` }}>
      <b>
        entry {entry.index} of term {entry.term}
      </b>
      <p>{entry.text}</p>
      {story !== null && (
        <table class="facts">
          <tbody>
            <Fact name="created" value={`by ${shortName(story.createdBy)} in step ${story.createdAt}`} />
            <Fact name="durable" value={places(story.durableAt)} />
            <Fact name="acknowledged" value={places(story.acknowledgedAt)} />
            <Fact
              name="committed"
              value={story.committedAt === null ? 'by nobody yet' : `in step ${story.committedAt}`}
            />
          </tbody>
        </table>
      )}
      <p class="hint">Click to go to the step that created it.</p>
    </div>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{value}</td>
    </tr>
  );
}

function places(at: readonly { readonly server: string; readonly step: number }[]): string {
  return at.length === 0 ? 'nowhere yet' : at.map(({ server, step }) => `${shortName(server)} (${step})`).join(', ');
}
