// A counter that survives: three processes hold it, any one may die. Type a number to add it; an empty line reads the value.
//   node counter.mjs 1 & node counter.mjs 2 & node counter.mjs 3
import { createInterface } from 'node:readline';
import { RaftError, RaftNode } from '@quorate/runtime';
import { nodeEnvironment, stderrLogger } from '@quorate/runtime/node';

class Counter {
  kind = 'memory';
  value = 0n;
  applied = 0;

  appliedIndex() {
    return this.applied;
  }

  apply({ index, data }) {
    this.applied = index;
    this.value += BigInt(new TextDecoder().decode(data));
    return this.value;
  }

  openSnapshot() {
    const slices = [new TextEncoder().encode(String(this.value))];
    return { next: () => slices.shift() ?? null, close: () => {} };
  }

  beginRestore() {
    let value = 0n;
    return {
      write: (slice) => {
        value = BigInt(new TextDecoder().decode(slice));
      },
      finish: (applied) => Object.assign(this, { value, applied }),
      abort: () => {},
    };
  }
}

const [number = '1', directory = 'counter-data', firstPort = '7101'] = process.argv.slice(2);
const initialCluster = [1, 2, 3].map((n) => ({ id: `c${n}`, address: `127.0.0.1:${Number(firstPort) + n - 1}` }));
const { id, address: listen } = initialCluster[Number(number) - 1];
const counter = new Counter();
const environment = nodeEnvironment({ dataDirectory: `${directory}/${id}`, logger: stderrLogger('warn') });
const node = await RaftNode.open({ id, listen, initialCluster, environment, stateMachine: counter });

for await (const line of createInterface({ input: process.stdin })) {
  try {
    if (line.trim() === '') await node.readBarrier();
    else await node.propose(new TextEncoder().encode(BigInt(line).toString()));
    console.log(`${id}: ${counter.value}`);
  } catch (error) {
    console.log(`${id}: ${error instanceof RaftError ? `${error.code}: ${error.message}` : error.message}`);
  }
}
await node.close();
