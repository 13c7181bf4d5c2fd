/** Who watches a cluster: the trace of a script, the invariants. Every callback is optional. */
import type {
  Entry,
  Input,
  LogPosition,
  Message,
  Outgoing,
  Output,
  PersistBatch,
  RecoveredState,
} from '../../src/index.ts';
import type { TestServer } from './server.ts';

export interface Observer {
  /** The server is about to start from this state. */
  starting?(server: TestServer, recovered: RecoveredState): void;
  /** It runs; its constructor's output has not been taken. */
  started?(server: TestServer): void;
  stepping?(server: TestServer, input: Input): void;
  stepped?(server: TestServer, input: Input): void;
  /** The output was taken; nothing of it is carried out yet. */
  output?(server: TestServer, output: Output): void;
  /** Its batch was handed to the disk. */
  submitted?(server: TestServer, batch: PersistBatch): void;
  /** A message leaves for the network. */
  sent?(server: TestServer, outgoing: Outgoing): void;
  /** The batch is durable; the core has not been told. */
  durable?(server: TestServer, batch: PersistBatch): void;
  applied?(server: TestServer, entries: readonly Entry[]): void;
  restored?(server: TestServer, position: LogPosition): void;
  compacted?(server: TestServer, position: LogPosition, through: number): void;
  /** The server is about to stop; its disk still has batches pending. */
  crashing?(server: TestServer): void;
  crashed?(server: TestServer): void;
  /** What became of a message in flight: it reaches its receiver, or never will. */
  arrived?(message: Message): void;
  lost?(message: Message): void;
}
