import { expect, test } from '@jest/globals';
import { EVENT_PATTERNS, patternsOf } from '../../config/webhook-events.ts';
import { tellable } from '../../src/webhooks/event.ts';

const by = { organizationId: 'org_1', actor: { type: 'user' as const, id: 'usr_1' }, ip: '192.0.2.1' };

test('an event says what happened to what, and nothing that only the audit log may know', () => {
  expect(
    tellable({
      ...by,
      type: 'member.invited',
      targetId: 'inv_1',
      data: { email: 'somebody@example.com', role: 'viewer' },
    }),
  ).toEqual({
    type: 'member.invited',
    organizationId: 'org_1',
    environment: 'live',
    data: {
      object: 'member',
      id: 'inv_1',
      organizationId: 'org_1',
      actor: { type: 'user', id: 'usr_1' },
      role: 'viewer',
    },
  });
});

test('sandbox data is told to the sandbox’s webhooks', () => {
  const told = tellable({ ...by, type: 'prompt.updated', environment: 'test', targetId: 'prm_1' });
  expect(told).toMatchObject({ environment: 'test', data: { object: 'prompt', environment: 'test' } });
});

test('a version is told of by its prompt and number', () => {
  expect(
    tellable({ ...by, type: 'version.created', environment: 'live', targetId: 'prm_1', data: { number: 2 } })
      ?.data,
  ).toMatchObject({ object: 'version', promptId: 'prm_1', number: 2 });
});

test('what is not on the list is not told', () => {
  expect(tellable({ ...by, type: 'token.replayed' })).toBeUndefined();
  expect(tellable({ ...by, type: 'dataset.created', targetId: 'dst_1' })).toBeUndefined();
  expect(tellable({ type: 'member.joined', actor: by.actor })).toBeUndefined();
});

test('one may subscribe to events, to their families, and to all', () => {
  expect(patternsOf('prompt.updated')).toEqual(['*', 'prompt.*', 'prompt.updated']);
  expect(EVENT_PATTERNS).toEqual(
    expect.arrayContaining(['*', 'prompt.*', 'version.*', 'api_key.*', 'limit.warning', 'prompt.updated']),
  );
  expect(new Set(EVENT_PATTERNS).size).toBe(EVENT_PATTERNS.length);
});
