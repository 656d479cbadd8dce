import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WEBHOOK_EVENTS, type WebhookEventType } from '../../config/webhook-events.ts';
import type { NewAlert } from '../../src/alerts/alert.ts';
import { type Console, startConsole } from '../console/support.ts';
import { callApi, ownToken } from '../support/api.ts';
import { latestMailTo } from '../support/mailbox.ts';
import { type Receiver, startReceiver, verifySignature } from '../support/webhook-receiver.ts';

type Json = Record<string, unknown>;

let site: Console;
let receiver: Receiver;
let token: string;
let secret: string;
let deliveries: { stop(): Promise<void> };

beforeAll(async () => {
  site = await startConsole();
  receiver = await startReceiver();
  await site.services.database
    .sql()('organizations')
    .update({ plan: 'enterprise', limit_per_second: 1_000, limit_per_minute: 10_000 });
  token = await ownToken({ server: site }, site.made.apps.service);
  secret = String((await call('POST', '/v1/webhooks', { url: receiver.url, events: ['*'] }))['secret']);
  deliveries = site.services.startDeliveries();
}, 60_000);
afterAll(async () => {
  await deliveries.stop();
  await receiver.close();
  await site.close();
});

const call = async (method: string, path: string, body?: object): Promise<Json> => {
  const answer = await callApi<Json>({ server: site }, token, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};
/** Makes one, and gives its path. */
const make = async (path: string, body: object): Promise<string> =>
  `${path}/${String((await call('POST', path, body))['id'])}`;

/** What a person or program does that each event tells of; the first of a line makes what the others need. */
async function doEverything(): Promise<void> {
  const prompt = await make('/v1/prompts', { name: 'Canary-name', content: 'canary-content' });
  await call('PATCH', prompt, { metadata: { canary: 'canary-metadata' } });
  await call('POST', `${prompt}/versions`, { content: 'canary-content-2' });
  await call('DELETE', prompt);

  for (const path of ['/v1/reports', '/v1/evaluations']) {
    for (const end of ['completed', 'failed']) {
      const item = await make(path, { name: 'Canary-name' });
      await call('PATCH', item, { status: 'running' });
      await call('PATCH', item, { status: end, ...(end === 'failed' ? { error: 'canary-error' } : {}) });
      await call('DELETE', item);
    }
  }

  const key = await make('/v1/api-keys', { name: 'Key', environment: 'live', scopes: ['prompts:read'] });
  await call('POST', `${key}/rotate`);
  await call('DELETE', key);

  const app = await make('/v1/apps', {
    name: 'App',
    kind: 'service',
    environment: 'live',
    redirectUris: [],
    scopes: ['prompts:read'],
  });
  await call('PATCH', app, { name: 'Another name' });
  const added = await call('POST', `${app}/secrets`);
  await call('DELETE', `${app}/secrets?id=${String(added['id'])}`);
  await call('DELETE', app);

  const members = '/v1/organization/members';
  const invitation = await make(members, { email: 'canary-guest@example.com', role: 'viewer' });
  await call('DELETE', invitation);
  await make(members, { email: 'canary-joins@example.com', role: 'viewer' });
  const link = (await latestMailTo(site.dataDir, 'canary-joins@example.com')).links[0] ?? '';
  const user = { id: `usr_${'1'.repeat(26)}`, email: 'canary-joins@example.com' };
  await site.services.users.insert({ ...user, name: 'Canary', passwordHash: 'none' });
  const invited = new URL(link).searchParams.get('token') ?? link.split('/').at(-1) ?? '';
  await site.services.manageInvitations.accept(invited, user, '127.0.0.1');
  await call('PATCH', `${members}/${user.id}`, { role: 'member' });
  await call('DELETE', `${members}/${user.id}`);

  const at = {
    organizationId: site.made.organization.id,
    environment: 'live',
    period: '2026-01-20',
  } as const;
  const alerts: NewAlert[] = [
    {
      ...at,
      kind: 'expiring',
      subject: 'key_1',
      data: { expiresAt: '2026-01-21T00:00:00.000Z', daysLeft: 1 },
    },
    { ...at, kind: 'slept', subject: 'key_1', data: { lastUsedAt: null, days: 100 } },
    {
      ...at,
      kind: 'leaked',
      subject: 'key_1',
      data: { secret: 'api_key', action: 'revoked', foundAt: null },
    },
    {
      ...at,
      kind: 'limit',
      subject: 'api_key',
      data: { method: 'api_key', percent: 80, day: '2026-01-20', limit: 1_000, used: 800 },
    },
  ];
  for (const alert of alerts) await site.services.raiseAlert(alert);
}

test('every event of the contract arrives, signed, for what it tells of; none holds what only who may read it should see', async () => {
  await doEverything();
  const types = (): Set<string> => new Set(receiver.received.map(({ event }) => event.type));
  const all = Object.keys(WEBHOOK_EVENTS) as WebhookEventType[];
  await receiver
    .until(() => all.every((type) => types().has(type)))
    .catch(() => expect([...types()].sort()).toEqual([...all].sort()));

  const ids = new Set<string>();
  for (const request of receiver.received) {
    const { event, body } = request;
    verifySignature(secret, request);
    ids.add(event.id);
    expect(Object.keys(event)).toEqual(['id', 'type', 'apiVersion', 'createdAt', 'data']);
    expect(event.data).toMatchObject({
      object: expect.any(String),
      organizationId: site.made.organization.id,
    });
    // Neither contents nor names of data, nor addresses of people, nor secrets.
    expect([event.type, /canary/i.test(body)]).toEqual([event.type, false]);
    expect([
      event.type,
      /pr_live_|secret_[0-9A-Za-z]{36}|rt_|whsec_|mail_[0-9A-Za-z]{36}/.test(body),
    ]).toEqual([event.type, false]);
  }
  expect(ids.size).toBe(receiver.received.length);
});
