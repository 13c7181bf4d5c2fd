/** Answers the page's requests: one session at a time, and what takes long may be ended. */
import { compare, type Comparison } from './compare.ts';
import { decode, readCoreTrace } from './core-trace.ts';
import { exportBranch } from './exports.ts';
import { historyOf } from './history.ts';
import type { Host } from './host.ts';
import { rawState } from './inspect.ts';
import { decodeLink, encodeLink } from './link.ts';
import { logWindows } from './server-view.ts';
import type { Answer, CommandName, Frame, Request } from './protocol.ts';
import { runUntil } from './run-until.ts';
import { Session } from './session.ts';
import { runSetupOf } from './setup.ts';
import { shrinkRun } from './shrink.ts';
import { storyOf } from './story.ts';
import { whyOf } from './why.ts';

export class Engine {
  #session: Session | null = null;

  /** Throws in words for a person. */
  async answer(request: Request, host: Host): Promise<Answer<CommandName>> {
    switch (request.name) {
      case 'open':
        return this.#begin(new Session(runSetupOf(request.ask.setup)));
      case 'openTrace':
        return this.#openTrace(request.ask.name, request.ask.text);
      case 'openLink':
        return this.#openLink(request.ask.link, host);
      case 'runUntil':
        return runUntil(this.session, request.ask.predicate, host);
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
    const { session } = this;
    switch (request.name) {
      case 'seek':
        session.seek(request.ask);
        return session.frame();
      case 'step':
        session.step(request.ask.by);
        return session.frame();
      case 'playTo':
        session.playTo(request.ask.at, request.ask.most);
        return session.frame();
      case 'act':
        for (const action of request.ask.actions) session.act(action);
        return session.frame();
      case 'logs':
        return logWindows(session.world, request.ask.from, request.ask.to);
      case 'story':
        return this.#story(request.ask.server, request.ask.index);
      case 'raw':
        return this.#raw(request.ask.server);
      case 'why':
        return session.branch.violation === null ? null : whyOf(session.branch.violation, session.branch.records());
      case 'history':
        return historyOf(session.world, session.branch.records().slice(0, session.position.step));
      case 'export':
        return exportBranch(session.setup, session.branch, request.ask.form);
      default:
        throw new Error(`There is no request "${request.name}".`);
    }
  }

  get session(): Session {
    if (this.#session === null) throw new Error('Nothing is open yet.');
    return this.#session;
  }

  #begin(session: Session): Frame {
    this.#session = session;
    return session.frame();
  }

  #openTrace(name: string, text: string): Frame {
    const trace = decode(text);
    if (trace.world !== 'cores') {
      throw new Error(
        `${name} is of ${trace.world === null ? 'real servers' : `a world of ${trace.world}`}, which this page cannot open yet.`,
      );
    }
    const { setup, actions, remark } = readCoreTrace(trace, name);
    const session = new Session(setup);
    for (const action of actions) session.act(action);
    session.seek({ branch: 0, step: session.branch.violation?.step ?? 0 });
    session.remark = remark;
    return this.#begin(session);
  }

  async #openLink(link: string, host: Host): Promise<Frame> {
    const { setup, actions, step, remark } = await decodeLink(link, host);
    const session = new Session(setup);
    for (const action of actions) session.act(action);
    session.seek({ branch: 0, step });
    session.remark = remark;
    return this.#begin(session);
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
    const { world, branch, position } = this.session;
    const entry = logWindows(world, index, index).find((log) => log.server === server)?.entries[0];
    return entry === undefined ? null : storyOf(branch.records().slice(0, position.step), index, entry.term);
  }

  #raw(server: string): string {
    const record = this.session.world.server(server);
    if (record === null) throw new RangeError(`There is no server ${server}.`);
    return rawState(record);
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

function sharedSteps(one: Session['branch'], other: Session['branch']): number {
  const most = Math.min(one.length, other.length);
  for (let step = 1; step <= most; step++) {
    if (one.record(step) !== other.record(step)) return step - 1;
  }
  return most;
}
