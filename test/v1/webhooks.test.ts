import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { callApi } from '../support/api.ts';
import { mailsTo } from '../support/mailbox.ts';
import { type Site, startSite } from '../support/site.ts';
import { answering, type Receiver, startReceiver, verifySignature } from '../support/webhook-receiver.ts';

type Json = Record<string, unknown>;

let site: Site;
let live: string;
let test_: string;

beforeAll(async () => {
  site = await startSite();
  live = site.made.apiKeys.live;
  test_ = site.made.apiKeys.test;
}, 60_000);
afterAll(() => site.stop());

const call = (key: string, method: string, path: string, body?: object) =>
  callApi<Json>(site, key, method, path, body);

const created: string[] = [];

/** A new webhook; it goes with the test. */
async function create(fields: object = {}, key = live): Promise<Json & { id: string; secret: string }> {
  const { status, body } = await call(key, 'POST', '/v1/webhooks', {
    url: 'https://hooks.example.com/in',
    events: ['prompt.*'],
    ...fields,
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  if (key === live) created.push(String(body['id']));
  return body as Json & { id: string; secret: string };
}
afterEach(async () => {
  for (const id of created.splice(0)) await call(live, 'DELETE', `/v1/webhooks/${id}`);
});

const newPrompt = (key = live) => call(key, 'POST', '/v1/prompts', { name: 'p', content: 'a secret recipe' });

describe('/v1/webhooks', () => {
  test('creates one, and shows its secret this once', async () => {
    const { status, body } = await call(live, 'POST', '/v1/webhooks', {
      url: 'https://hooks.example.com/in?x=1',
      events: ['prompt.updated', 'report.*'],
      description: 'ours',
    });
    created.push(String(body['id']));
    expect(status).toBe(201);
    expect(body).toEqual({
      object: 'webhook',
      id: expect.stringMatching(/^wh_[0-9a-z]{26}$/),
      url: 'https://hooks.example.com/in?x=1',
      events: ['prompt.updated', 'report.*'],
      description: 'ours',
      environment: 'live',
      secret: expect.stringMatching(/^whsec_[0-9A-Za-z]{36}$/),
      status: 'active',
      disabledReason: null,
      previousSecretExpiresAt: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const { secret: _, ...rest } = body;
    expect((await call(live, 'GET', `/v1/webhooks/${body['id']}`)).body).toEqual(rest);
    expect((await call(live, 'GET', '/v1/webhooks')).body).toMatchObject({ object: 'list', data: [rest] });
  });

  test.each([
    ['an event that there is not', { events: ['prompt.exploded'] }, 'events.0'],
    ['a family that there is not', { events: ['dataset.*'] }, 'events.0'],
    ['no event', { events: [] }, 'events'],
    ['an event twice', { events: ['*', '*'] }, 'events'],
    ['plain HTTP', { url: 'http://hooks.example.com/' }, 'url'],
    ['another scheme', { url: 'ftp://hooks.example.com/' }, 'url'],
    ['no URL', { url: 'hooks' }, 'url'],
    ['a user name', { url: 'https://me@hooks.example.com/' }, 'url'],
    ['a fragment', { url: 'https://hooks.example.com/#here' }, 'url'],
    ['SSRF: a private address', { url: 'https://10.0.0.1/' }, 'url'],
    ['SSRF: the metadata service', { url: 'https://169.254.169.254/latest' }, 'url'],
    ['SSRF: the metadata service, as a number', { url: 'https://2852039166/latest' }, 'url'],
    ['SSRF: a mapped address', { url: 'https://[::ffff:10.0.0.1]/' }, 'url'],
    ['a member that there is not', { secret: 'whsec_mine' }, 'secret'],
  ])('refuses %s', async (_what, fields, path) => {
    const body = { url: 'https://hooks.example.com/in', events: ['*'], ...fields };
    const answer = await call(live, 'POST', '/v1/webhooks', body);
    expect([answer.status, answer.body['errors']]).toEqual([422, [expect.objectContaining({ path })]]);
  });

  test('changes address, events, description and status', async () => {
    const { id } = await create();
    const change = { url: 'https://hooks.example.com/new', events: ['*'], description: 'new' };
    expect(await call(live, 'PATCH', `/v1/webhooks/${id}`, change)).toMatchObject({
      status: 200,
      body: change,
    });
    const off = await call(live, 'PATCH', `/v1/webhooks/${id}`, { status: 'disabled' });
    expect(off.body).toMatchObject({ ...change, status: 'disabled', disabledReason: 'owner' });
    const on = await call(live, 'PATCH', `/v1/webhooks/${id}`, { status: 'active', description: null });
    expect(on.body).toMatchObject({ status: 'active', disabledReason: null, description: null });
    const bad = await call(live, 'PATCH', `/v1/webhooks/${id}`, {
      url: 'https://127.0.0.1.nip.io@10.0.0.1/',
    });
    expect(bad.status).toBe(422);
    expect((await call(live, 'GET', `/v1/webhooks/${id}`)).body).toEqual(on.body);
  });

  test('is there for its own environment alone', async () => {
    const { id } = await create();
    const sandbox = await create({}, test_);
    expect((await call(test_, 'GET', `/v1/webhooks/${id}`)).status).toBe(404);
    expect((await call(live, 'GET', `/v1/webhooks/${sandbox.id}`)).status).toBe(404);
    expect((await call(test_, 'GET', '/v1/webhooks')).body['data']).toMatchObject([{ id: sandbox.id }]);
    expect((await call(test_, 'DELETE', `/v1/webhooks/${sandbox.id}`)).status).toBe(204);
  });

  test('writes each change into the audit log', async () => {
    const { id } = await create();
    await call(live, 'PATCH', `/v1/webhooks/${id}`, { status: 'disabled' });
    await call(live, 'POST', `/v1/webhooks/${id}/rotate-secret`);
    await call(live, 'DELETE', `/v1/webhooks/${id}`);
    const { body } = await call(live, 'GET', `/v1/organization/audit-log?targetId=${id}`);
    expect((body['data'] as Json[]).map((event) => event['type'])).toEqual([
      'webhook.deleted',
      'webhook.secret_rotated',
      'webhook.updated',
      'webhook.created',
    ]);
    expect(JSON.stringify(body)).not.toContain('whsec_');
  });

  test('an organization may have 20', async () => {
    for (let i = 0; i < 20; i++) await create();
    const refused = await call(live, 'POST', '/v1/webhooks', {
      url: 'https://a.example.com/',
      events: ['*'],
    });
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict', limit: 20 } });
  });
});

describe('What a receiver gets', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  test('Standard Webhooks: an event, signed, once, that says what happened and not what it holds', async () => {
    const { secret } = await create({ url: receiver.url });
    const prompt = await newPrompt();
    await call(live, 'PATCH', `/v1/prompts/${prompt.body['id']}`, { content: 'another' });
    await receiver.until((received) => received.length === 2);
    for (const request of receiver.received) {
      expect(verifySignature(secret, request)).toEqual(request.event);
      expect(request.headers).toMatchObject({
        'content-type': 'application/json',
        'webhook-id': request.event.id,
        'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      });
      expect(request.event).toMatchObject({ apiVersion: '2024-01-15', createdAt: expect.any(String) });
      expect(request.body).not.toContain('recipe');
    }
    const byType = new Map(receiver.received.map(({ event }) => [event.type, event.data]));
    expect([...byType.keys()].sort()).toEqual(['prompt.created', 'prompt.updated']);
    expect(byType.get('prompt.updated')).toEqual({
      object: 'prompt',
      id: prompt.body['id'],
      organizationId: site.made.organization.id,
      environment: 'live',
      actor: { type: 'api_key', id: expect.stringMatching(/^key_/) },
      fields: ['content'],
    });
  });

  test('nothing of the sandbox, and the sandbox nothing of production', async () => {
    await create({ url: receiver.url, events: ['*'] });
    await newPrompt(test_);
    const { body } = await newPrompt();
    await receiver.until((received) => received.length > 0);
    expect(receiver.received.map(({ event }) => event.data['id'])).toEqual([body['id']]);
  });

  test('of a webhook whose secret is rotated: signatures that old and new verify', async () => {
    const { id, secret: old } = await create({ url: receiver.url });
    const rotated = await call(live, 'POST', `/v1/webhooks/${id}/rotate-secret`, { gracePeriodSeconds: 600 });
    expect(rotated).toMatchObject({
      status: 200,
      body: { id, secret: expect.stringMatching(/^whsec_/), previousSecretExpiresAt: expect.any(String) },
    });
    const fresh = String(rotated.body['secret']);
    expect(fresh).not.toBe(old);
    await newPrompt();
    await receiver.until((received) => received.length === 1);
    const [request] = receiver.received;
    if (!request) throw new Error('nothing came');
    for (const secret of [old, fresh]) expect(verifySignature(secret, request)).toEqual(request.event);

    await call(live, 'POST', `/v1/webhooks/${id}/rotate-secret`, { gracePeriodSeconds: 0 });
    await newPrompt();
    await receiver.until((received) => received.length === 2);
    for (const secret of [old, fresh]) {
      expect(() => verifySignature(secret, receiver.received[1] ?? request)).toThrow(
        'No matching signature found',
      );
    }
  });

  test('a test event, whatever it subscribes to', async () => {
    const { id, secret } = await create({ url: receiver.url, events: ['report.*'] });
    const queued = await call(live, 'POST', `/v1/webhooks/${id}/test`);
    expect(queued).toMatchObject({
      status: 202,
      body: {
        object: 'webhook_delivery',
        webhookId: id,
        eventType: 'webhook.test',
        status: 'pending',
        response: null,
      },
    });
    await receiver.until((received) => received.length === 1);
    const [request] = receiver.received;
    expect(request?.event.type).toBe('webhook.test');
    if (request) verifySignature(secret, request);
  });

  const settled = async (id: string, wanted: string): Promise<Json[]> => {
    for (let tries = 0; tries < 200; tries++) {
      const { body } = await call(live, 'GET', `/v1/webhooks/${id}/deliveries`);
      const data = body['data'] as Json[];
      if (data.length > 0 && data.every((delivery) => delivery['status'] === wanted)) return data;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`no delivery became ${wanted}`);
  };

  test('can be seen with request and answer, and sent again', async () => {
    const { id } = await create({ url: receiver.url });
    receiver.behave(answering(200, {}, `thank you\0${'!'.repeat(5_000)}`));
    await newPrompt();
    const [delivery] = await settled(id, 'succeeded');
    const [request] = receiver.received;
    expect(delivery).toMatchObject({
      id: expect.stringMatching(/^dlv_/),
      eventId: request?.event.id,
      eventType: 'prompt.created',
      attemptCount: 1,
      nextAttemptAt: null,
      redeliveryOf: null,
      request: {
        url: receiver.url,
        headers: { 'webhook-id': request?.event.id, 'content-type': 'application/json' },
        body: request?.body,
      },
      response: { status: 200, body: expect.stringMatching(/^thank you\uFFFD!+$/), error: null },
    });
    expect(JSON.stringify(delivery)).not.toContain('v1,');
    const response = { ...(delivery?.['response'] as object) };
    expect(String((response as Json)['body']).length).toBeLessThanOrEqual(1_000);

    const again = await call(live, 'POST', `/v1/webhooks/${id}/deliveries/${delivery?.['id']}/redeliver`);
    expect(again).toMatchObject({
      status: 202,
      body: { eventId: delivery?.['eventId'], redeliveryOf: delivery?.['id'], status: 'pending' },
    });
    await receiver.until((received) => received.length === 2);
    expect(receiver.received[1]?.body).toBe(request?.body);
    expect(receiver.received[1]?.headers['webhook-id']).toBe(request?.headers['webhook-id']);

    const one = await call(live, 'GET', `/v1/webhooks/${id}/deliveries/${delivery?.['id']}`);
    expect(one.body).toEqual({
      ...delivery,
      attempts: [{ ...(delivery?.['response'] as object), url: receiver.url }],
    });
  });

  test('410 Gone: the webhook is disabled, audited, and its owner told', async () => {
    const { id } = await create({ url: receiver.url });
    receiver.behave(answering(410));
    await newPrompt();
    await settled(id, 'failed');
    const webhook = await call(live, 'GET', `/v1/webhooks/${id}`);
    expect(webhook.body).toMatchObject({ status: 'disabled', disabledReason: 'gone' });
    const log = await call(live, 'GET', `/v1/organization/audit-log?targetId=${id}&type=webhook.disabled`);
    expect(log.body['data']).toMatchObject([
      { actor: { type: 'system', id: null }, data: { reason: 'gone' } },
    ]);
    const { email } = site.made.user;
    const mails = () => mailsTo(site.server.dataDir, email).filter(({ text }) => text.includes(id));
    while (mails().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(mails()).toMatchObject([{ subject: 'A webhook was disabled' }]);

    await newPrompt();
    expect((await call(live, 'POST', `/v1/webhooks/${id}/test`)).status).toBe(409);
    const list = await call(live, 'GET', `/v1/webhooks/${id}/deliveries`);
    expect(list.body['data']).toHaveLength(1);
    const path = `/v1/webhooks/${id}/deliveries/${(list.body['data'] as Json[])[0]?.['id']}/redeliver`;
    expect((await call(live, 'POST', path)).status).toBe(409);

    receiver.behave(answering(204));
    await call(live, 'PATCH', `/v1/webhooks/${id}`, { status: 'active' });
    expect((await call(live, 'POST', path)).status).toBe(202);
    await receiver.until((received) => received.length === 2);
  });
});
