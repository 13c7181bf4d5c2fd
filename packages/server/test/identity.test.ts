import { foundingMembers, idText, memberId } from '@quorate/server';
import { expect, it } from 'vitest';
import { describeWithPeer, findPeer } from '../../../test-support/peers.ts';
import { EtcdProcess } from './support/etcd-process.ts';

it('A lone default server has the ids that etcd’s users know by heart', () => {
  const { members, cluster } = foundingMembers(
    [{ name: 'default', peerURLs: ['http://localhost:2380'] }],
    'etcd-cluster',
  );
  expect(members.map((member) => idText(member.id))).toEqual(['8e9e05c52164694d']);
  expect(idText(cluster)).toBe('cdf818194e3a8c32');
});

it('The order of addresses and members does not matter; the token does', () => {
  const urls = ['http://10.0.0.1:2380', 'http://10.0.0.2:2380'];
  expect(memberId(urls, 't')).toBe(memberId([...urls].reverse(), 't'));
  expect(memberId(urls, 't')).not.toBe(memberId(urls, 'u'));
  const a = { name: 'a', peerURLs: [urls[0] ?? ''] };
  const b = { name: 'b', peerURLs: [urls[1] ?? ''] };
  expect(foundingMembers([a, b], 't')).toEqual(foundingMembers([b, a], 't'));
});

describeWithPeer('etcd', 'Ids beside a running etcd', () => {
  it('are the same for the same flags', async () => {
    const etcd = await EtcdProcess.start(findPeer('etcd') ?? '', 'some-token');
    try {
      const { members, cluster } = foundingMembers([{ name: 'default', peerURLs: [etcd.peerUrl] }], 'some-token');
      const response = await fetch(`http://${etcd.address}/v3/cluster/member/list`, { method: 'POST', body: '{}' });
      const list = (await response.json()) as { header: { cluster_id: string; member_id: string } };
      expect(list.header.cluster_id).toBe(cluster.toString());
      expect(list.header.member_id).toBe(members[0]?.id.toString());
    } finally {
      await etcd.stop();
    }
  });
});
