import { expect, test } from 'vitest';
import { type MethodDescriptor, methodsByPath, PutRequest, PutResponse, services } from '@quorate/kv/api';

test('a method knows its path, its types and which side may stream', () => {
  expect(services.KV.Put).toMatchObject({
    path: '/etcdserverpb.KV/Put',
    request: PutRequest,
    response: PutResponse,
    clientStreaming: false,
    serverStreaming: false,
  });
  expect(services.Watch.Watch).toMatchObject({ clientStreaming: true, serverStreaming: true });
  expect(services.Maintenance.Snapshot).toMatchObject({ clientStreaming: false, serverStreaming: true });
});

test('every method is found by its path', () => {
  const all = Object.values(services).flatMap((service) => Object.values<MethodDescriptor<unknown, unknown>>(service));
  expect(methodsByPath.size).toBe(all.length);
  for (const method of all) expect(methodsByPath.get(method.path)).toBe(method);
});
