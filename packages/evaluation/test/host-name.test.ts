import { describe, expect, it } from 'vitest';
import { hostNames, MAX_HOSTS } from '../src/places/host-name.ts';
import { codeOf } from './support/errors.ts';

describe('Hosts as they are named on the command line', () => {
  it('have a user, a port and an address where that is wanted', () => {
    expect(hostNames('a, root@10.0.0.2:2222 ,me@b.example=10.1.0.3')).toEqual([
      { text: 'a', target: 'a', port: null, address: null },
      { text: 'root@10.0.0.2:2222', target: 'root@10.0.0.2', port: 2222, address: null },
      { text: 'me@b.example=10.1.0.3', target: 'me@b.example', port: null, address: '10.1.0.3' },
    ]);
  });

  it.each([
    ['', '"" is no host'],
    ['a,', '"" is no host'],
    ['-oProxyCommand=x', '"-oProxyCommand=x" is no host'],
    ['me@-v', '"me@-v" is no host'],
    ['a b', '"a b" is no host'],
    ['a:0', '0 in "a:0" is no port'],
    ['a:70000', '70000 in "a:70000" is no port'],
    ['a=host', '"host" in "a=host" is no IPv4 address'],
    ['a,b,a', 'a is named twice'],
    [Array.from({ length: MAX_HOSTS + 1 }, (_, at) => `h${at}`).join(','), '12 hosts are more than the 11'],
  ])('%j is refused', (list, complaint) => {
    expect(codeOf(() => hostNames(list))).toBe('BadHosts');
    expect(() => hostNames(list)).toThrow(complaint);
  });
});
