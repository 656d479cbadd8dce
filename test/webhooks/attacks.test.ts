import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { callApi } from '../support/api.ts';
import { freshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';
import { type Site, startSite } from '../support/site.ts';
import { addWebhookOwner } from '../support/webhook-owner.ts';
import { answering, type Behaviour, type Receiver, startReceiver } from '../support/webhook-receiver.ts';

type Json = Record<string, unknown>;

/** What an organization, or whoever stole a key with webhooks:write, could try with webhooks against us and others. */
describeWith('postgresql', 'A malicious organization', () => {
  let site: Site;
  let drop: () => Promise<void>;
  let receiver: Receiver;
  /** Another organization's. */
  const theirs = { webhookId: '', deliveryId: '', eventId: '' };

  beforeAll(async () => {
    const { databaseUrl, drop: dropIt } = await freshPostgres();
    drop = dropIt;
    const env = { DATABASE_URL: databaseUrl, SECRET_KEY: Buffer.alloc(32, 9).toString('base64') };
    site = await startSite(env, async (services) => {
      const owner = await addWebhookOwner(services, 1, ['http://127.0.0.1:9/theirs']);
      const [webhookId = ''] = owner.webhookIds;
      const by = { principal: owner.principal, ip: '127.0.0.1' };
      const delivery = await services.manageWebhooks.test(by, webhookId);
      Object.assign(theirs, {
        webhookId,
        deliveryId: delivery.id,
        eventId: delivery.eventId,
      });
    });
  }, 60_000);
  afterAll(async () => {
    await site.stop();
    await drop();
  });
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  const made: string[] = [];
  afterEach(async () => {
    for (const id of made.splice(0)) await call('DELETE', `/v1/webhooks/${id}`);
    await receiver.close();
  });

  const call = (method: string, path: string, body?: object) =>
    callApi<Json>(site, site.made.apiKeys.live, method, path, body);
  const create = async (fields: object = {}) => {
    const webhook = { url: receiver.url, events: ['prompt.*'], ...fields };
    const { status, body } = await call('POST', '/v1/webhooks', webhook);
    if (status === 201) made.push(String(body['id']));
    return { status, body, id: String(body['id']) };
  };
  const attemptOf = async (id: string, url = receiver.url): Promise<Json> => {
    await call('PATCH', `/v1/webhooks/${id}`, { url });
    const { body } = await call('POST', `/v1/webhooks/${id}/test`);
    for (;;) {
      const read = await call('GET', `/v1/webhooks/${id}/deliveries/${String(body['id'])}`);
      const [attempt] = read.body['attempts'] as Json[];
      if (attempt) return attempt;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  test.each([
    ['CR and LF', 'https://example.com/\r\nX-Evil: 1'],
    ['LF at the end', 'https://example.com/\n'],
    ['a tab, which parsers drop', 'ht\ttps://example.com/'],
    ['a space', 'https://example.com/ x'],
    ['NUL', 'https://example.com/\0'],
    ['an override of the direction', 'https://example.com/\u202Emoc.tset'],
    ['a zero-width space', 'https://exam\u200Bple.com/'],
  ])('header and log injection: a URL with %s is refused', async (_what, url) => {
    expect((await create({ url })).status).toBe(422);
  });

  test('header injection: what a URL encodes stays encoded', async () => {
    const path = '/in%0d%0aX-Evil:%201?x=%0d%0aX-Evil:%201';
    const { id } = await create();
    await attemptOf(id, new URL(path, receiver.url).href);
    expect(receiver.received[0]?.headers['x-evil']).toBeUndefined();
    expect(receiver.received[0]?.body).toContain('"webhook.test"');
  });

  test('the ids of another organization’s deliveries and events lead nowhere, also under one’s own webhook', async () => {
    const { id } = await create();
    const own = await call('POST', `/v1/webhooks/${id}/test`);
    for (const [webhook, delivery] of [
      [id, theirs.deliveryId],
      [theirs.webhookId, theirs.deliveryId],
      [theirs.webhookId, String(own.body['id'])],
    ]) {
      const path = `/v1/webhooks/${webhook}/deliveries/${delivery}`;
      expect((await call('GET', path)).status).toBe(404);
      expect((await call('POST', `${path}/redeliver`)).status).toBe(404);
    }
    // As a cursor an id says where to go on, and brings nothing of its own.
    const page = await call('GET', `/v1/webhooks/${id}/deliveries?cursor=${theirs.deliveryId}`);
    expect(JSON.stringify(page.body)).not.toContain(theirs.webhookId);
    const byEvent = await call('GET', `/v1/webhooks/${id}/deliveries/${theirs.eventId}`);
    expect(byEvent.status).toBe(404);
  });

  test('port scan: of an inside address nothing is learned but that it is inside, whatever listens there', async () => {
    const open = await startReceiver();
    const { port } = new URL(open.url);
    const { id } = await create();
    // Over https loopback is reached in development too, and speaks no TLS: the same words as where nothing listens.
    const [listening, closed] = [
      await attemptOf(id, `https://127.0.0.1:${port}/`),
      await attemptOf(id, 'https://127.0.0.1:9/'),
    ];
    for (const attempt of [listening, closed]) {
      expect(attempt).toMatchObject({ status: null, body: null, error: 'The server could not be reached.' });
    }
    expect((await create({ url: `https://10.0.0.1:${port}/` })).status).toBe(422);
    expect(open.received).toEqual([]);
    await open.close();
  });

  test.each([
    ['a status that there is not', answering(999)],
    [
      'bytes that are no text',
      (response) => void response.end(Buffer.from([0x7b, 0, 0xff, 0xfe, 0xc3, 0x28])),
    ],
    [
      'a body without end',
      (response) => void setInterval(() => response.write('x'.repeat(10_000)), 1).unref(),
    ],
    [
      'headers without end',
      (response) => void response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end(),
    ],
    [
      'another protocol',
      (response) =>
        void response.socket?.write('HTTP/1.1 101 Hi\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    ],
    ['something that is not HTTP', (response) => void response.socket?.end('SSH-2.0-OpenSSH\r\n')],
    ['a Retry-After that is no time', answering(503, { 'retry-after': '9'.repeat(300) })],
  ] satisfies [string, Behaviour][])(
    'a receiver that answers with %s is noted, and forgotten',
    async (_what, behaviour) => {
      const { id } = await create();
      receiver.behave(behaviour);
      const attempt = await attemptOf(id);
      expect(JSON.stringify(attempt).length).toBeLessThan(4_000);
      expect(Number(attempt['durationMs'])).toBeLessThan(5_000);
    },
  );

  test('amplification: one call is told to 20 receivers at the most, however many make webhooks at once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => create()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(10);
    await call('POST', '/v1/prompts', { name: 'p', content: 'c' });
    await receiver.until((received) => received.length === 20);
  });

  test('secrets: the answers that show one are not stored, and no other answer has it', async () => {
    const { id, body } = await create();
    const secret = String(body['secret']);
    const rotated = await call('POST', `/v1/webhooks/${id}/rotate-secret`);
    const fresh = String(rotated.body['secret']);
    await attemptOf(id);
    const deliveries = await call('GET', `/v1/webhooks/${id}/deliveries`);
    const first = (deliveries.body['data'] as Json[])[0]?.['id'];
    const answers = [
      await call('GET', `/v1/webhooks/${id}`),
      await call('GET', '/v1/webhooks'),
      await call('PATCH', `/v1/webhooks/${id}`, { description: 'x' }),
      await call('GET', `/v1/webhooks/${id}/deliveries/${String(first)}`),
      await call('GET', '/v1/organization/audit-log?limit=100'),
      deliveries,
    ];
    for (const { status, body: shown } of answers) {
      expect(status).toBe(200);
      for (const value of [secret, fresh]) expect(JSON.stringify(shown)).not.toContain(value.slice(6));
    }
    const again = await fetch(new URL(`/v1/webhooks/${id}/rotate-secret`, site.server.url), {
      method: 'POST',
      headers: { Authorization: `Bearer ${site.made.apiKeys.live}` },
    });
    expect([again.status, again.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(site.server.stdout() + site.server.stderr()).not.toContain(fresh.slice(6));
  });
});
