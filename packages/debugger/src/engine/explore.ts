/**
 * The states that lie ahead of a moment: a small graph of them to look at, and a wider breadth-first search that tells how many there are at
 * each depth, what turned it back, and what came nearest to a goal.
 */
import { BreadthFirst, type CoreAction, type CoreWorld, type SearchResult } from '@quorate/sim';
import { type Allowances, startFrom } from './from-here.ts';
import type { Host } from './host.ts';
import { describePredicate, holds, type Predicate } from './predicates.ts';
import { titleOf } from './recorder.ts';
import { goalOf } from './search.ts';

/** States that a picture can hold. */
const maxDrawn = 120;
/** States that are counted before the search gives up. */
const maxCounted = 20_000;
/** Between two breaths. */
const stepsAtOnce = 2_000;
/** Near misses that are listed. */
const maxNearest = 4;

/** With a clock anything may happen for ever: this is what may, from here on. A world without one has budgets of its own. */
const allowances: Allowances = {
  terms: 2,
  elections: 2,
  stickiness: 3,
  heartbeats: 1,
  requests: 1,
  crashes: 1,
};

export interface StateNode {
  readonly id: number;
  readonly depth: number;
  /** The step by which it was first reached; '' for the first. */
  readonly step: string;
  /** Who leads, how far logs go: what tells it from others. */
  readonly text: string;
  readonly term: number;
  readonly hasLeader: boolean;
  readonly isGoal: boolean;
  /** The invariant that is broken there; null for none. */
  readonly broken: string | null;
  /** What follows from it is not in the picture. */
  readonly isOpen: boolean;
}

export interface StateEdge {
  readonly from: number;
  readonly to: number;
}

export interface NearState {
  readonly depth: number;
  /** Parts of the goal that are not so there. */
  readonly lacking: readonly string[];
}

export interface ExplorationView {
  readonly nodes: readonly StateNode[];
  readonly edges: readonly StateEdge[];
  /** Different states first met at each depth. */
  readonly levels: readonly number[];
  readonly taken: readonly (readonly [kind: string, count: number])[];
  /** What could not be done, as it is not allowed any more, and how often in the states of the picture. */
  readonly refused: readonly (readonly [reason: string, count: number])[];
  /** What was not looked at, a sentence each. */
  readonly cut: readonly string[];
  readonly nearest: readonly NearState[];
  /** How it ended, in words. */
  readonly text: string;
}

export interface Exploration {
  readonly view: ExplorationView;
  /** The way from the moment to a state of the picture. */
  wayTo(node: number): readonly CoreAction[];
  /** The way to what came near, by its place in the list; to the goal or violation at place -1. */
  wayNear(place: number): readonly CoreAction[];
}

/** `from` is left as it is. `goal`: null for none. `maxDepth`: of the wider search. */
export async function explore(
  from: CoreWorld,
  goal: Predicate | null,
  maxDepth: number,
  host: Host,
): Promise<Exploration> {
  const start = startOf(from);
  const graph = new StateGraph(start, goal);
  const search = new BreadthFirst(start.clone(), {
    goal: goal === null ? null : goalOf(goal),
    maxDepth,
    maxStates: maxCounted,
    repeatEvery: 0,
  });
  while (!host.isCancelled() && !search.advance(stepsAtOnce)) {
    const { states, depth } = search.progress;
    host.progress(`${states} states, depth ${depth}`);
    await host.breathe();
  }
  const result = search.result();
  return {
    view: viewOf(graph, result, goal),
    wayTo: (node) => graph.wayTo(node),
    wayNear: (place) => (place === -1 ? result.actions : result.nearest[place]?.actions) ?? [],
  };
}

function startOf(from: CoreWorld): CoreWorld {
  return from.setting.timing === 'order' ? from.clone() : startFrom(from, allowances);
}

function viewOf({ nodes, edges, refused }: StateGraph, result: SearchResult, goal: Predicate | null): ExplorationView {
  const { levels, taken, cut, nearest } = result;
  return {
    nodes,
    edges,
    levels,
    taken: [...taken].sort((a, b) => b[1] - a[1]),
    refused: [...refused].sort((a, b) => b[1] - a[1]),
    cut,
    nearest: nearest.slice(0, maxNearest).map(({ depth, misses }) => ({
      depth,
      lacking: misses.map(({ part, distance }) => `${part} (${distance} away)`),
    })),
    text: `${result.states} states, ${result.successors} steps, depth ${result.depth}: ${endWords(result, goal)}.`,
  };
}

function endWords({ end, broken, actions }: SearchResult, goal: Predicate | null): string {
  const way = actions === null ? '' : `, ${actions.length} steps from here`;
  switch (end) {
    case 'violation':
      return `${broken?.invariant ?? 'an invariant'} is broken${way}`;
    case 'goal':
      return `${goal === null ? 'the goal' : describePredicate(goal)}${way}`;
    case 'exhausted':
      return 'there are no others within what is allowed from here on';
    case 'depth':
      return 'there are no others up to that depth';
    default:
      return 'the search ended before it had seen all';
  }
}

interface Waiting {
  readonly id: number;
  readonly world: CoreWorld;
}

/** Breadth first, until the picture is full. */
class StateGraph {
  readonly nodes: StateNode[] = [];
  readonly edges: StateEdge[] = [];
  readonly refused = new Map<string, number>();
  readonly #goal: Predicate | null;
  readonly #known = new Map<string, number>();
  readonly #ways: { readonly parent: number; readonly action: CoreAction | null }[] = [];

  constructor(start: CoreWorld, goal: Predicate | null) {
    this.#goal = goal;
    const queue: Waiting[] = [this.#add(start, 0, -1, null, '')];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (this.nodes.length >= maxDrawn || next.world.broken !== null) continue;
      queue.push(...this.#expand(next));
    }
  }

  #expand({ id, world }: Waiting): readonly Waiting[] {
    const node = this.nodes[id];
    if (node === undefined) return [];
    this.nodes[id] = { ...node, isOpen: false };
    this.#countRefusals(world);
    const found: Waiting[] = [];
    const reached = new Set<number>();
    for (const action of world.enabled()) {
      const next = world.clone();
      const flight = 'message' in action ? world.flight(action.message) : null;
      next.perform(action);
      const known = this.#known.get(nameOf(next));
      const to = known ?? this.nodes.length;
      if (known === undefined) found.push(this.#add(next, node.depth + 1, id, action, titleOf(action, flight)));
      if (!reached.has(to)) this.edges.push({ from: id, to });
      reached.add(to);
    }
    return found;
  }

  #add(world: CoreWorld, depth: number, parent: number, action: CoreAction | null, step: string): Waiting {
    const id = this.nodes.length;
    this.#known.set(nameOf(world), id);
    this.#ways.push({ parent, action });
    const up = world.servers.flatMap(({ raft }) => (raft === null ? [] : [raft]));
    this.nodes.push({
      id,
      depth,
      step,
      text: wordsOf(world),
      term: Math.max(0, ...up.map(({ term }) => term)),
      hasLeader: up.some(({ role }) => role === 'leader'),
      isGoal: this.#goal !== null && holds(this.#goal, world) !== null,
      broken: world.broken?.invariant ?? null,
      isOpen: true,
    });
    return { id, world };
  }

  #countRefusals(world: CoreWorld): void {
    for (const action of world.candidates()) {
      const why = world.why(action);
      if (why?.includes('budget') === true) this.refused.set(why, (this.refused.get(why) ?? 0) + 1);
    }
  }

  wayTo(node: number): readonly CoreAction[] {
    const way: CoreAction[] = [];
    let at = this.#ways[node];
    while (at !== undefined && at.action !== null) {
      way.unshift(at.action);
      at = this.#ways[at.parent];
    }
    return way;
  }
}

function nameOf(world: CoreWorld): string {
  const { a, b } = world.fingerprint();
  return `${a} ${b}`;
}

function wordsOf({ servers, flights }: CoreWorld): string {
  const words = servers.map(({ id, raft }) => {
    if (raft === null) return `${id} down`;
    const { role, term, log, commitIndex } = raft;
    const what = role === 'follower' ? '' : ` ${role}`;
    return `${id}${what} t${term}, log to ${log.lastIndex}, commit ${commitIndex}`;
  });
  return `${words.join('; ')}; ${flights.length} messages in flight`;
}
