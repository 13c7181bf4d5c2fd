/**
 * The same etcdctl commands against a real etcd and against three of our servers, through leader and follower alike: output,
 * error and exit code must be the same to the letter, but for the ids of members and cluster and the raft term.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';
import { EtcdProcess } from './support/etcd-process.ts';
import { etcdctl, type EtcdctlResult } from './support/etcdctl.ts';
import { TestCluster } from './support/test-cluster.ts';

interface Step {
  readonly args: readonly string[];
  readonly input?: string;
}

const run = (line: string, input?: string): Step => ({
  args: line.split(' ').map((word) => word.replaceAll('␠', ' ').replaceAll("''", '')),
  ...(input === undefined ? {} : { input }),
});

const fruit = ['apple', 'apricot', 'banana', 'blueberry', 'cherry', 'date'];
const large = 'x'.repeat(100_000);

/** Every scenario begins with an empty prefix of its own, and runs in order on both. */
const scenarios: Readonly<Record<string, readonly Step[]>> = {
  'put and get': [
    run('put /a/k v1'),
    run('put /a/k v2 --prev-kv'),
    run('get /a/k'),
    run('get /a/k --print-value-only'),
    run('get /a/k -w json'),
    run('get /a/k -w fields'),
    run('get /a/k --hex'),
    run('get /a/missing'),
    run('get /a/missing -w json'),
    run('put /a/k from␠standard␠input', undefined),
    run('put /a/stdin', 'piped value'),
    run('get /a/stdin'),
    run('put /a/empty', ''),
    run('get /a/empty -w json'),
    run('put /a/k ignored --ignore-value'),
    run('put /a/k --ignore-value'),
    run('put /a/k v3 --ignore-lease'),
    run('put /a/absent --ignore-value'),
    run('get /a/k -w json'),
    run('put /a/ключ 値'),
    run('get /a/ключ'),
    run('get /a/ключ -w json'),
    run(`put /a/large ${large}`),
    run('get /a/large'),
  ],
  'ranges, limits, revisions and sort orders': [
    ...fruit.map((name, index) => run(`put /f/${name} ${fruit.length - index}`)),
    run('put /f/banana again'),
    run('get /f/ --prefix'),
    run('get /f/ --prefix -w json'),
    run('get /f/a /f/c'),
    run('get /f/a /f/c --keys-only'),
    run('get /f/b --from-key --limit=3'),
    run('get --prefix /f/ --limit=2 -w json'),
    run('get --prefix /f/ --count-only -w fields'),
    run('get --prefix /f/ --consistency=s'),
    ...['CREATE', 'KEY', 'MODIFY', 'VALUE', 'VERSION'].flatMap((target) => [
      run(`get --prefix /f/ --sort-by=${target} --order=ASCEND --keys-only`),
      run(`get --prefix /f/ --sort-by=${target} --order=DESCEND --keys-only`),
      run(`get --prefix /f/ --sort-by=${target} --order=DESCEND --limit=2`),
    ]),
    run('get --prefix /f/ --order=DESCEND --keys-only'),
    run('get --prefix /f/ --sort-by=rubbish'),
    run('get /f/banana --rev=2'),
    run('get /f/banana --rev=1000000'),
    run('get --prefix /f/ --prefix --from-key'),
  ],
  deletion: [
    ...fruit.map((name) => run(`put /d/${name} x`)),
    run('del /d/apple'),
    run('del /d/apple'),
    run('del /d/apricot --prev-kv'),
    run('del /d/b /d/c --prev-kv -w json'),
    run('get /d/ --prefix -w json'),
    run('del /d/ --prefix --prev-kv'),
    run('get /d/ --prefix'),
    run('put /d/cherry again'),
    run('get /d/cherry -w json'),
    run('del /d/ --prefix'),
  ],
  transactions: [
    run('put /t/flag on'),
    run('txn', 'value("/t/flag") = "on"\n\nput /t/result yes\nget /t/flag\n\nput /t/result no\n\n'),
    run('get /t/ --prefix'),
    run(
      'txn',
      'value("/t/flag") = "off"\nmod("/t/flag") > "0"\n\nput /t/result yes\n\nput /t/result no\ndel /t/flag\n\n',
    ),
    run('get /t/ --prefix'),
    run('txn -w json', 'create("/t/flag") = "0"\n\nput /t/flag new\nget /t/ --prefix\n\n\n'),
    run('txn', 'version("/t/flag") = "1"\n\nget /t/ --prefix --limit=1\n\n\n'),
    run('txn', '\nput /t/same 1\nput /t/same 2\n\n\n'),
    run('txn', `\n${Array.from({ length: 128 }, (_, i) => `put /t/many${i} x`).join('\n')}\n\n\n`),
    run('txn', `\n${Array.from({ length: 129 }, (_, i) => `put /t/more${i} x`).join('\n')}\n\n\n`),
    run('txn', '\nput /t/nokey\n\n\n'),
    run('get /t/ --prefix --count-only -w json'),
  ],
  compaction: [
    run('put /c/k 1'),
    run('put /c/k 2'),
    run('put /c/gone 1'),
    run('del /c/gone'),
    run('compaction REVISION'),
    run('compaction REVISION'),
    run('compaction 1000000'),
    run('compaction -- -1'),
    run('get /c/k'),
    run('get /c/k --rev=1'),
    run('get /c/gone'),
    run('put /c/k 3'),
    run('compaction --physical REVISION'),
    run('get /c/k -w json'),
  ],
  refusals: [
    run("put '' value"),
    run("get ''"),
    run('put /r/k v --lease=1234'),
    run('lease rubbish'),
    run('get'),
    run('get /r/k --rev=-5'),
    { args: ['put', '/r/oversized'], input: randomBytes(800_000).toString('hex') },
    run('get /r/oversized'),
    run('get /r/ --prefix --sort-by=KEY --order=rubbish'),
  ],
};

describeWithPeer(['etcd', 'etcdctl'], 'etcdctl', () => {
  const binary = findPeer('etcdctl') ?? '';
  let etcd: EtcdProcess;
  let cluster: TestCluster;

  beforeAll(async () => {
    [etcd, cluster] = await Promise.all([
      EtcdProcess.start(findPeer('etcd') ?? '', 'etcd-cluster'),
      TestCluster.start(3),
    ]);
  });
  afterAll(async () => {
    await Promise.all([etcd.stop(), cluster.close()]);
  });

  // Compaction must come last on either side: both count revisions from the same beginning.
  it.each(Object.entries(scenarios))('behaves as with etcd: %s', async (_name, steps) => {
    const leader = cluster.address(await cluster.leader());
    const follower = cluster.address(await cluster.follower());
    for (const [index, step] of steps.entries()) {
      const ours = index % 2 === 0 ? follower : leader;
      const [expected, actual] = await Promise.all([perform(etcd.address, step), perform(ours, step)]);
      expect(normalised(actual), `etcdctl ${step.args.join(' ').slice(0, 200)}`).toEqual(normalised(expected));
    }
  });

  it('shows endpoint status, health and the member list as tables', async () => {
    const addresses = cluster.names.map((name) => cluster.address(name));
    const status = await etcdctl(binary, addresses, ['endpoint', 'status', '-w', 'table']);
    const ofEtcd = await etcdctl(binary, [etcd.address], ['endpoint', 'status', '-w', 'table']);
    expect(cellsOf(status.stdout)[0]).toEqual(cellsOf(ofEtcd.stdout)[0]);
    expect(cellsOf(status.stdout).length).toBe(4);
    const leaders = cellsOf(status.stdout).filter((cells) => cells[4] === 'true');
    expect(leaders.map((cells) => cells[0])).toEqual([cluster.address(await cluster.leader())]);

    const members = await etcdctl(binary, addresses, ['member', 'list', '-w', 'table']);
    const membersOfEtcd = await etcdctl(binary, [etcd.address], ['member', 'list', '-w', 'table']);
    expect(cellsOf(members.stdout)[0]).toEqual(cellsOf(membersOfEtcd.stdout)[0]);
    expect(
      cellsOf(members.stdout)
        .slice(1)
        .map((cells) => [cells[1], cells[2]]),
    ).toEqual(expect.arrayContaining(cluster.names.map((name) => ['started', name])));

    const health = await etcdctl(binary, addresses, ['endpoint', 'health', '--cluster']);
    expect(health.code).toBe(0);
    const lines = `${health.stdout}${health.error}`;
    expect(lines).toMatch(/is healthy: successfully committed proposal/);
  });

  async function perform(address: string, step: Step): Promise<EtcdctlResult> {
    const args: string[] = [];
    for (const arg of step.args) args.push(arg === 'REVISION' ? await presentRevision(address) : arg);
    return await etcdctl(binary, [address], args, step.input);
  }

  async function presentRevision(address: string): Promise<string> {
    const { stdout } = await etcdctl(binary, [address], ['get', 'x', '-w', 'json']);
    return /"revision":(\d+)/.exec(stdout)?.[1] ?? '0';
  }
});

/** Without what may differ: ids, the term, and addresses in error messages. */
function normalised({ code, stdout, error }: EtcdctlResult): EtcdctlResult {
  const plain = (text: string): string =>
    text
      .replaceAll(/"(cluster_id|member_id|raft_term)":\d+/g, '"$1":0')
      .replaceAll(/"(ClusterID|MemberID|RaftTerm)" : \d+/g, '"$1" : 0')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS')
      .replaceAll(/endpoint:\/\/[^"]*/g, 'ENDPOINT')
      .replaceAll(/"ts":"[^"]*"/g, '"ts":""');
  return { code, stdout: plain(stdout), error: plain(error) };
}

function cellsOf(table: string): readonly (readonly string[])[] {
  return table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
