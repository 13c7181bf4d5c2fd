/** Answers the page's requests: one session at a time, and what takes long may be ended. */
import { compare, type Comparison } from './compare.ts';
import { CoreTape } from './core-tape.ts';
import { decode, readCoreTrace } from './core-trace.ts';
import { equip } from './equip.ts';
import { explore, type Exploration, type ExplorationView } from './explore.ts';
import { exportBranch } from './exports.ts';
import { recordPlan, recordSeed } from './from-plan.ts';
import { readFlightRecording, readRecording } from './from-records.ts';
import type { Host } from './host.ts';
import { decodeLink, encodeLink } from './link.ts';
import { Playback } from './playback.ts';
import { describePredicate, type Predicate } from './predicates.ts';
import type { Answer, CommandName, ExportForm, Frame, Outcome, Position, Request } from './protocol.ts';
import { runUntil } from './run-until.ts';
import { openSeen } from './seen-tape.ts';
import { searchFrom } from './search.ts';
import { Session } from './session.ts';
import { runSetupOf, type Setup } from './setup.ts';
import { shrinkRun } from './shrink.ts';
import { storyOf } from './story.ts';
import type { StepRecord } from './step-record.ts';
import type { Tape } from './tape.ts';
import type { Walk } from './walk.ts';
import { whyOf } from './why.ts';

export class Engine {
  #walk: Walk | null = null;
  /** What was explored last, and from where. */
  #explored: {
    readonly session: Session;
    readonly position: Position;
    readonly exploration: Exploration;
  } | null = null;

  /** Throws in words for a person. */
  async answer(request: Request, host: Host): Promise<Answer<CommandName>> {
    switch (request.name) {
      case 'open':
        return this.#open(request.ask.setup, host);
      case 'openTrace':
        return this.#openTrace(request.ask.name, request.ask.text, host);
      case 'openFlights':
        return this.#play(new CoreTape(readFlightRecording(request.ask.files, request.ask.name)));
      case 'openLink':
        return this.#openLink(request.ask.link, host);
      case 'runUntil':
        if (request.ask.how === 'continue') return runUntil(this.walk, request.ask.predicate, host);
        return this.#search(request.ask.predicate, host);
      case 'explore':
        return this.#explore(request.ask.goal, request.ask.depth, host);
      case 'shrink':
        return this.#shrink(host);
      case 'link':
        return this.#link(host);
      case 'compare':
        return this.#compare(request.ask.branch);
      default:
        return this.#answerNow(request);
    }
  }

  /** Requests that move the moment, or ask about it. */
  #answerNow(request: Request): Answer<CommandName> {
    const { walk } = this;
    switch (request.name) {
      case 'seek':
        walk.seek(request.ask);
        return walk.frame();
      case 'step':
        walk.step(request.ask.by);
        return walk.frame();
      case 'playTo':
        walk.playTo(request.ask.at, request.ask.most);
        return walk.frame();
      case 'act':
        walk.act(request.ask.actions);
        return walk.frame();
      case 'logs':
        return walk.logs(request.ask.from, request.ask.to);
      case 'story':
        return this.#story(request.ask.server, request.ask.index);
      case 'goToState':
        return this.#goToState(request.ask.of, request.ask.id);
      case 'glimpse':
        return this.#glimpse(request.ask.branch);
      case 'raw':
        return walk.raw(request.ask.server);
      case 'why':
        return walk.violation === null ? null : whyOf(walk.violation, walk.records());
      case 'history':
        return walk.history();
      case 'export':
        return this.#export(request.ask.form);
      default:
        throw new Error(`There is no request "${request.name}".`);
    }
  }

  get walk(): Walk {
    if (this.#walk === null) throw new Error('Nothing is open yet.');
    return this.#walk;
  }

  /** What only a run can do that is no recording. */
  get session(): Session {
    const { walk } = this;
    if (!(walk instanceof Session))
      throw new Error('This has been, and is shown as it was: that can only be done with a run of cores.');
    return walk;
  }

  #begin(walk: Walk): Frame {
    this.#walk = walk;
    return walk.frame();
  }

  async #open(setup: Setup, host: Host): Promise<Frame> {
    if (setup.kind === 'nodes') return this.#play(new CoreTape(recordSeed(setup)));
    return this.#begin(new Session(await equip(runSetupOf(setup), host)));
  }

  async #openTrace(name: string, text: string, host: Host): Promise<Frame> {
    const trace = decode(text);
    if (trace.world === 'nodes') return this.#play(new CoreTape(recordPlan(trace, name)));
    if (trace.world === 'seen') return this.#play(openSeen(trace));
    if (trace.world === null) return this.#play(new CoreTape(readRecording(trace, name)));
    if (trace.world !== 'cores')
      throw new Error(`${name} is of a world of ${trace.world}, which this page does not know.`);
    const { setup, actions, remark } = await readCoreTrace(trace, name, host);
    const session = new Session(setup);
    session.act(actions);
    session.seek({ branch: 0, step: session.branch.violation?.step ?? 0 });
    session.remark = remark;
    return this.#begin(session);
  }

  /** From the end, where something breaks; otherwise from where the servers have started. */
  #play(tape: Tape): Frame {
    const playback = new Playback(tape, (other) => new CoreTape(other));
    playback.seek({ branch: 0, step: playback.violation?.step ?? firstStarts(playback.records()) });
    return this.#begin(playback);
  }

  async #openLink(link: string, host: Host): Promise<Frame> {
    const { setup, actions, step, remark } = await decodeLink(link, host);
    const session = new Session(setup);
    session.act(actions);
    session.seek({ branch: 0, step });
    session.remark = remark;
    return this.#begin(session);
  }

  async #search(predicate: Predicate, host: Host): Promise<Outcome> {
    const { session } = this;
    const { actions, text } = await searchFrom(session.world, predicate, host);
    if (actions !== null) session.graft(`found: ${describePredicate(predicate)}`, session.position.step, actions);
    return { isReached: actions !== null, text: `${text}.`, frame: session.frame() };
  }

  async #explore(goal: Predicate | null, depth: number, host: Host): Promise<ExplorationView> {
    const { session } = this;
    const { position } = session;
    const exploration = await explore(session.world, goal, depth, host);
    this.#explored = { session, position, exploration };
    return exploration.view;
  }

  #export(form: ExportForm): string {
    if (form === 'trace' && this.walk instanceof Playback) return this.walk.trace();
    return exportBranch(this.session.setup, this.session.branch, form);
  }

  #goToState(of: 'picture' | 'near', id: number): Frame {
    const { session } = this;
    if (this.#explored?.session !== session) throw new Error('Nothing has been explored in this run yet.');
    const { position, exploration } = this.#explored;
    const way = of === 'picture' ? exploration.wayTo(id) : exploration.wayNear(id);
    session.seek(position);
    if (way.length > 0) session.graft(`explored: ${way.length} steps`, position.step, way);
    return session.frame();
  }

  #glimpse(branch: number): Answer<'glimpse'> {
    const { walk } = this;
    const { position } = walk;
    const step = walk.lengthOf(branch);
    try {
      walk.seek({ branch, step });
      return walk.views();
    } finally {
      walk.seek(position);
    }
  }

  #link(host: Host): Promise<string> {
    const { setup, branch, position } = this.session;
    return encodeLink(setup, branch.actions(), position.step, host);
  }

  async #shrink(host: Host): Promise<Answer<'shrink'>> {
    const { session } = this;
    const { branch, setup } = session;
    if (branch.violation === null) throw new Error('This branch breaks nothing: there is nothing to shrink.');
    const { step, invariant } = branch.violation;
    const shrunk = await shrinkRun(setup, branch.actions(step), invariant, host);
    if (shrunk.actions.length >= step) {
      return { isReached: false, text: `Nothing can be left out of these ${step} steps.`, frame: session.frame() };
    }
    session.graft(`shrunk to ${shrunk.actions.length} steps`, 0, shrunk.actions);
    const how = shrunk.isMinimal ? 'none of them can be left out' : 'ended before it was done';
    const text = `From ${step} steps to ${shrunk.actions.length} in ${shrunk.runs} runs; ${how}.`;
    return { isReached: true, text, frame: session.frame() };
  }

  #story(server: string, index: number): Answer<'story'> {
    const { walk } = this;
    const entry = walk.logs(index, index).find((log) => log.server === server)?.entries[0];
    return entry === undefined ? null : storyOf(walk.records().slice(0, walk.position.step), index, entry.term);
  }

  /** The moment stays where it is. */
  #compare(id: number): Comparison {
    const { session } = this;
    const { position, branch } = session;
    const other = session.branchOf(id);
    const endOf = (at: typeof branch) => {
      session.seek({ branch: at.id, step: at.length });
      return { name: at.name, records: at.records(), end: session.world.clone() };
    };
    try {
      return compare(endOf(branch), endOf(other), sharedSteps(branch, other));
    } finally {
      session.seek(position);
    }
  }
}

/** Before its servers have started a recording has nothing to show. */
function firstStarts(records: readonly StepRecord[]): number {
  const other = records.findIndex(({ kind }) => kind !== 'restart');
  return other === -1 ? records.length : other;
}

function sharedSteps(one: Session['branch'], other: Session['branch']): number {
  const most = Math.min(one.length, other.length);
  for (let step = 1; step <= most; step++) {
    if (one.record(step) !== other.record(step)) return step - 1;
  }
  return most;
}
