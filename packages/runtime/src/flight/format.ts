/**
 * The files of a flight recording (docs/trace.md): eight bytes that name the format, then frames of length, checksum and payload. The
 * first frame is the header, the others hold records. A frame that is cut short ends the file: that is where a process was killed.
 */
import type { Index, Incarnation, MemberId, RaftOptions, RaftState } from '@quorate/raft';

export const FLIGHT_DIRECTORY = 'flight';

/** The last byte is the version. */
export const MAGIC = Uint8Array.of(0x51, 0x55, 0x4f, 0x52, 0x46, 0x4c, 0x54, 1);

export const frameKinds = { header: 1, records: 2 } as const;

/** Numbers stand in files: never reuse one. */
export const recordKinds = { input: 1, output: 2, sent: 3, checkpoint: 4, cache: 5 } as const;

/** A frame is as long as what came in fifty milliseconds, or one input: larger is rubbish. */
export const maxFrameBytes = 256 << 20;

/** One moment on the two clocks of a server: what lines up the recordings of several. */
export interface ClockAnchor {
  /** Milliseconds since 1970. */
  readonly wallTime: number;
  /** The same moment on the clock that inputs bear. Microseconds. */
  readonly now: number;
}

export interface FlightHeader {
  /** The build that recorded; another may not replay it. */
  readonly codeVersion: string;
  readonly createdBy: string;
  readonly cluster: string;
  readonly group: number;
  readonly member: MemberId;
  readonly incarnation: Incarnation;
  /** Drawn anew at each start of the server. */
  readonly life: string;
  /** Files of a server count on, over restarts too. */
  readonly sequence: number;
  /** Inputs of this life that came before. A file whose predecessor ends here continues it. */
  readonly firstInput: number;
  readonly redacted: boolean;
  readonly anchor: ClockAnchor;
}

/** The state of a core right after an output was taken. Everything since follows from the inputs. */
export interface FlightCheckpoint {
  readonly options: RaftOptions;
  /** Without the payloads that memory holds: they follow in records of their own, a few at a time. */
  readonly state: RaftState;
  readonly cached: { readonly first: Index; readonly count: number };
  readonly anchor: ClockAnchor;
}

export function flightPath(sequence: number): string {
  return `${FLIGHT_DIRECTORY}/${String(sequence).padStart(8, '0')}.flight`;
}

/** The sequence number in a file's name, or null for any other name. */
export function flightSequence(name: string): number | null {
  const digits = /^([0-9]{8,15})\.flight$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The state without what a checkpoint's further records hold; the same for equal states, however they came about. */
export function withoutCache(state: Readonly<RaftState>): RaftState {
  return { ...state, log: { ...state.log, cache: [], cacheHead: 0 } };
}
