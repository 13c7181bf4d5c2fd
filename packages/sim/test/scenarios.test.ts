import { readdirSync, readFileSync } from 'node:fs';
import { parseScenario, runScenario, ScenarioError, standardWatchers } from '@quorate/sim';
import { describe, expect, it, test } from 'vitest';

const folder = new URL('../scenarios/', import.meta.url);

describe('kept scenarios', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

  it('are there', () => {
    expect(names.length).toBeGreaterThanOrEqual(7);
  });

  test.each(names)('%s', (name) => {
    const { violation, crash } = runScenario(readFileSync(new URL(name, folder), 'utf8'), standardWatchers);
    expect(crash).toBeNull();
    expect(violation?.message).toBeUndefined();
  });
});

describe('a scenario is stale', () => {
  it.each([
    ['when a message does not leave', 'leader L\nfollower F\nawait F sends appendEntries to L in T', 3],
    ['when it leaves in another term', 'leader L\nfollower F\nawait L sends appendEntries to F in T+3', 3],
    ['when nobody leads', 'servers 2\nleader L\nfollower F\ncrash F power\nleader M', 5],
    ['when a server does not lead', 'leader L\nfollower F\nawait F leads in T+1', 3],
    ['when there is nothing to start', 'leader L\nstart L', 2],
    ['when there is nobody to wake', 'leader L\nresume L', 2],
    ['when there are fewer servers', 'servers 1\nleader L\nfollower F', 3],
  ])('%s', (_, source, line) => {
    const { violation } = runScenario(source, standardWatchers);
    expect(violation).toMatchObject({ invariant: 'STALE' });
    expect(violation?.message).toMatch(new RegExp(`^STALE: line ${line} of the scenario .* no longer applies`));
  });
});

describe('what is no scenario is refused with its line', () => {
  it.each([
    ['an unknown step', 'leader L\ndance L', /^Line 2: "dance L" is no step/],
    [
      'an unknown message',
      'leader L\nfollower F\nawait L sends love to F in T',
      /^Line 3: "love" is no kind of message/,
    ],
    ['a name that nobody has', 'leader L\ncrash F power', /^Line 2: Nobody is named F yet/],
    ['a name for two', 'leader L\nfollower F\nfollower F', /^Line 3: F was named already/],
    ['a setting too late', 'leader L\nservers 5', /^Line 2: "servers 5" stands behind the first step/],
    ['no leader', 'heal', /^Line 1: Name the leader first/],
    ['no server', 'servers 0\nleader L', /1 to 9 servers/],
    ['nothing', '# a story', /needs a step/],
  ])('%s', (_, source, message) => {
    expect(() => parseScenario(source)).toThrow(ScenarioError);
    expect(() => parseScenario(source)).toThrow(message);
  });
});
