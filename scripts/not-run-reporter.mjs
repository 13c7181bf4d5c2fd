// A vitest reporter that says what a run did not do. Tests skipped for want of a peer are counted by peer (see
// test-support/peers.ts); any other skipped test is named, so that nothing is left out in silence.
//
// `npm test` wants this as the very last line, after its other steps: it sets QUORATE_TEST_SUMMARY to a file, and prints
// the two lines itself.
import { readFileSync, writeFileSync } from 'node:fs';

const peers = JSON.parse(readFileSync(new URL('../test-support/peers.json', import.meta.url), 'utf8'));

export class NotRunReporter {
  onTestRunEnd(modules) {
    const summary = summarise(modules);
    const file = process.env.QUORATE_TEST_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify(summary));
    else console.log(`${summary.counts}\n${summary.notRun}`);
  }
}

function summarise(modules) {
  let passed = 0;
  let failed = 0;
  const byPeer = new Map();
  const others = [];
  for (const module of modules) {
    if (module.state() === 'failed' && module.errors().length > 0) failed++; // It did not even load.
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed++;
      else if (state === 'failed') failed++;
      else {
        const peer = missingPeer(test);
        if (peer) byPeer.set(peer, (byPeer.get(peer) ?? 0) + 1);
        else others.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
    }
  }
  const skipped = others.length + [...byPeer.values()].reduce((sum, count) => sum + count, 0);
  return {
    counts: `${passed} passed, ${failed} failed, ${skipped} not run`,
    notRun: `not run: ${reasons(byPeer, others).join('; ') || 'nothing'}`,
    skipped,
  };
}

function missingPeer(test) {
  for (let task = test; task && task.type !== 'module'; task = task.parent) {
    const peer = task.meta().missingPeer;
    if (peer) return peer;
  }
  return null;
}

function reasons(byPeer, others) {
  const lines = [...byPeer].map(([peer, count]) => {
    const { package: name } = peers[peer];
    return `${count} ${peer} ${count === 1 ? 'test' : 'tests'}, ${name} missing: apt-get install ${name}`;
  });
  if (others.length > 0) lines.push(`${others.length} skipped in the source: ${others.join(', ')}`);
  return lines;
}
