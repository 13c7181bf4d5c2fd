/**
 * Our Raft in handlers, for searches: between two events the core's state and its disk lie in plain data, and each event wakes the same
 * driver that runs in the other tests. There is no clock: nothing in the core depends on one but reports and leases.
 */
import { type Message, Raft, type RaftState, type TimerCommand } from '@quorate/raft';
import { copyState, Encoder } from '@quorate/sim';
import type { HandlerContext, HandlerModule } from '../handlers.ts';
import type { ApplyMessage, Persister } from '../interface.ts';
import type { StateCodec } from '../search/state-codec.ts';
import { Disk } from './disk.ts';
import {
  configurationOf,
  Driver,
  type DriverMemory,
  type Install,
  incarnationOf,
  labOptions,
  nameOf,
  newMemory,
} from './driver.ts';

interface OurState {
  raft: RaftState;
  /** What is on the disk. */
  saved: unknown;
  snapshot: Uint8Array | null;
  memory: DriverMemory;
  /** Of the timers that are armed: the core waits for these. */
  generations: Record<string, number>;
}

/** As the core world of `quorate check` does it: what no behaviour depends on is left out. */
export function quorateStates(servers: number): StateCodec {
  const encoder = new Encoder(Array.from({ length: servers }, (_, server) => nameOf(server)));
  return {
    copy(state) {
      const { raft, memory, ...rest } = state as OurState;
      return { ...rest, memory: { ...memory }, raft: copyState(raft) };
    },
    seal: (state) => state,
    code(state) {
      const { raft, memory } = state as OurState;
      const { started, received } = memory;
      return encoder.encode({ raft, started, received }, raft.durability.nextBatch - 1).join(' ');
    },
  };
}

export function quorateHandlers(): HandlerModule<OurState> {
  return {
    init(context, saved, snapshot) {
      const disk = new Disk(diskOf(saved, snapshot), configurationOf(context.servers));
      const raft = new Raft(optionsOf(context), disk.recovered());
      const state: OurState = { raft: raft.state, saved, snapshot, memory: newMemory(), generations: {} };
      wake(state, context, raft, (driver) => driver.flush());
      return state;
    },
    start: (state, command, context) =>
      woken(state, context, (driver) => {
        const started = driver.start(command);
        driver.flush();
        return started;
      }),
    getState: ({ raft }) => ({ term: raft.term, isLeader: raft.role === 'leader' }),
    request: (state, _from, _method, args, context) =>
      woken(state, context, (driver) => driver.handle(args as Message | Install)),
    reply(state, _to, _method, args, reply, context) {
      const sent = args as Message | Install;
      const message = 'message' in sent ? sent.message : sent;
      woken(state, context, (driver) => driver.answered(message, reply as Message | false | null));
    },
    timer(state, name, context) {
      const timer = { name: name as TimerCommand['name'], generation: state.generations[name] ?? 0 };
      woken(state, context, (driver) => driver.timeout(timer));
    },
    snapshot(state, index, data, context) {
      woken(state, context, (driver) => {
        driver.snapshot(index, data);
        driver.flush();
      });
    },
    change: (state, members, context) => woken(state, context, (driver) => driver.change(members)),
  };
}

function optionsOf({ me }: HandlerContext): ConstructorParameters<typeof Raft>[0] {
  return { ...labOptions, id: nameOf(me), incarnation: incarnationOf(me) };
}

/** Only to read from: whoever saves, saves through the state (`wake`). */
function diskOf(saved: unknown, snapshot: Uint8Array | null, save: Persister['save'] = () => undefined): Persister {
  return { readState: () => saved, readSnapshot: () => snapshot, save, stateSize: () => 0 };
}

function woken<Result>(state: OurState, context: HandlerContext, act: (driver: Driver) => Result): Result {
  return wake(state, context, Raft.fromState(optionsOf(context), state.raft), act);
}

function wake<Result>(state: OurState, context: HandlerContext, raft: Raft, act: (driver: Driver) => Result): Result {
  const save: Persister['save'] = (saved, snapshot) => {
    state.saved = saved;
    state.snapshot = snapshot;
    context.save(saved, snapshot);
  };
  const disk = new Disk(diskOf(state.saved, state.snapshot, save), configurationOf(context.servers));
  const host = {
    now: () => 0,
    call: (to: number, { kind }: Message, args: Message | Install) => context.call(to, kind, args),
    arm: (timer: TimerCommand) => arm(state, context, timer),
    apply: (message: ApplyMessage) => context.apply(message),
  };
  const result = act(new Driver(raft, disk, host, state.memory));
  state.raft = raft.state;
  return result;
}

function arm(state: OurState, context: HandlerContext, { name, generation, min, max }: TimerCommand): void {
  if (max === 0) {
    const { [name]: _gone, ...left } = state.generations;
    state.generations = left;
    context.clearTimer(name);
    return;
  }
  state.generations = { ...state.generations, [name]: generation };
  context.setTimer(name, min / 1000, max / 1000);
}
