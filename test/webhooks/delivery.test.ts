import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { callApi } from '../support/api.ts';
import { bootstrapDatabase } from '../support/bootstrapped.ts';
import { freshDataDir, freshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';
import { withDatabase } from '../support/prepare.ts';
import { startServer } from '../support/server-process.ts';
import { type Site, startSite } from '../support/site.ts';
import {
  answering,
  type Behaviour,
  hanging,
  type Received,
  type Receiver,
  resetting,
  startReceiver,
  verifySignature,
} from '../support/webhook-receiver.ts';

type Json = Record<string, unknown>;

describeWith('postgresql', 'Deliveries', () => {
  let env: Record<string, string>;
  let site: Site;
  let drop: () => Promise<void>;
  let receiver: Receiver;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const database = await freshPostgres();
    drop = database.drop;
    env = {
      DATABASE_URL: database.databaseUrl,
      SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
      LOG_LEVEL: 'warn',
    };
    site = await startSite({ ...env, DATA_DIR: freshDataDir().dataDir });
  }, 60_000);
  afterAll(async () => {
    await site.stop();
    await drop();
  });
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await receiver.close();
  });

  const call = async (method: string, path: string, body?: object, key = site.made.apiKeys.live) => {
    const answer = await callApi<Json>(site, key, method, path, body);
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  const create = async (url: string, events = ['prompt.*']) => {
    const made = (await call('POST', '/v1/webhooks', { url, events })) as Json & {
      id: string;
      secret: string;
    };
    closing.push(() => call('DELETE', `/v1/webhooks/${made.id}`));
    return made;
  };
  const newPrompt = async (): Promise<string> =>
    String((await call('POST', '/v1/prompts', { name: 'p', content: 'c' }))['id']);
  const deliveriesOf = async (id: string) =>
    (await call('GET', `/v1/webhooks/${id}/deliveries?limit=100`))['data'] as Json[];

  describe('a receiver that fails once', () => {
    const FAULTS: Record<string, { behaviour: Behaviour; response: object; waitMs: number }> = {
      'answers 500': { behaviour: answering(500), response: { status: 500 }, waitMs: 5_000 },
      'resets the connection': {
        behaviour: resetting,
        response: { status: null, error: 'The server could not be reached.' },
        waitMs: 5_000,
      },
      redirects: {
        behaviour: answering(302, { location: 'http://169.254.169.254/' }),
        response: { status: 302 },
        waitMs: 5_000,
      },
      'answers 429 with Retry-After (RFC 9110 §10.2.3)': {
        behaviour: answering(429, { 'retry-after': '10' }),
        response: { status: 429 },
        waitMs: 12_400, // a fifth less is what was asked for
      },
    };
    const began = new Map<string, { receiver: Receiver; id: string; secret: string }>();
    let promptId: string;

    // All at once: each takes its time.
    beforeAll(async () => {
      for (const [name, { behaviour }] of Object.entries(FAULTS)) {
        const failing = await startReceiver((response, received) => {
          failing.behave(answering(200));
          behaviour(response, received);
        });
        const made = { url: failing.url, events: ['prompt.*'] };
        const { id, secret } = (await call('POST', '/v1/webhooks', made)) as { id: string; secret: string };
        began.set(name, { receiver: failing, id, secret });
      }
      promptId = await newPrompt();
    });
    afterAll(async () => {
      for (const { receiver: failing, id } of began.values()) {
        await call('DELETE', `/v1/webhooks/${id}`);
        await failing.close();
      }
    });

    test.each(Object.keys(FAULTS))('and %s gets it again, when it should', async (name) => {
      const begun = began.get(name);
      const fault = FAULTS[name];
      if (!begun || !fault) throw new Error(name);
      const { received, until } = begun.receiver;
      await until(() => received.length === 2);
      const [first, second] = received as [Received, Received];
      expect(second.body).toBe(first.body);
      expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
      expect(second.event.data['id']).toBe(promptId);
      for (const request of [first, second]) verifySignature(begun.secret, request);
      expect(second.atMs - first.atMs).toBeGreaterThan(fault.waitMs * 0.8 - 100);

      let delivery: Json | undefined;
      while (delivery?.['status'] !== 'succeeded') [delivery] = await deliveriesOf(begun.id);
      const whole = await call('GET', `/v1/webhooks/${begun.id}/deliveries/${delivery['id']}`);
      expect(whole['attempts']).toMatchObject([fault.response, { status: 200 }]);
    });
  });

  test('SSRF: a redirect to an internal address is not followed', async () => {
    const inside = await startReceiver();
    closing.push(inside.close);
    const { id } = await create(receiver.url);
    receiver.behave(answering(307, { location: inside.url }));
    await newPrompt();
    await receiver.until((received) => received.length === 1);
    let delivery: Json | undefined;
    while (delivery?.['attemptCount'] !== 1) [delivery] = await deliveriesOf(id);
    expect(delivery).toMatchObject({ status: 'pending', response: { status: 307 } });
    expect(inside.received).toEqual([]);
  });

  test('SSRF: in production loopback is no target, whatever the name', async () => {
    const production = await startServer({
      ...env,
      NODE_ENV: 'production',
      API_URL: 'https://api.example.com',
      WEB_URL: 'https://example.com',
      DATA_DIR: freshDataDir().dataDir,
    });
    closing.push(production.stop);
    await site.server.stop(); // so that production's worker alone delivers
    const { id } = await withDatabase(env, async ({ manageWebhooks, audit }) => {
      const { organization, user } = site.made;
      const principal = {
        method: 'oauth_user' as const,
        id: user.id,
        organizationId: organization.id,
        environment: 'live' as const,
        scopes: [],
      };
      const by = { principal, ip: '127.0.0.1' };
      const { port } = new URL(receiver.url);
      const fields = { url: `https://localhost:${port}/`, events: ['prompt.*'], description: null };
      const { webhook } = await manageWebhooks.create(by, fields);
      await audit({
        type: 'prompt.created',
        organizationId: organization.id,
        environment: 'live',
        actor: { type: 'system' },
        targetId: 'prm_1',
      });
      return webhook;
    });
    site.server = await startServer({
      ...env,
      DATA_DIR: site.server.dataDir,
      PORT: String(site.server.port),
    });
    let attempts: Json[] = [];
    while (attempts.length === 0) {
      const [delivery] = await deliveriesOf(id);
      attempts = (await call('GET', `/v1/webhooks/${id}/deliveries/${delivery?.['id']}`))[
        'attempts'
      ] as Json[];
    }
    expect(attempts[0]).toMatchObject({ status: null, error: 'The host is not on the public internet.' });
    expect(receiver.received).toEqual([]);
    await call('DELETE', `/v1/webhooks/${id}`);
  });

  test('a receiver that hangs delays no other organization, however much waits for it', async () => {
    const stuck = await startReceiver(hanging);
    closing.push(stuck.close);
    await create(stuck.url, ['*']);
    for (let i = 0; i < 40; i++) await newPrompt();
    await stuck.until((received) => received.length >= 8);

    const other = await bootstrapOther();
    const made = await call('POST', '/v1/webhooks', { url: receiver.url, events: ['*'] }, other.live);
    closing.push(() => call('DELETE', `/v1/webhooks/${made['id']}`, undefined, other.live));
    const askedMs = performance.now();
    await call('POST', '/v1/prompts', { name: 'p', content: 'c' }, other.live);
    await receiver.until((received) => received.length === 1);
    expect(performance.now() - askedMs).toBeLessThan(3_000);
    expect(stuck.received.length).toBeLessThanOrEqual(16);
  });

  const bootstrapOther = async () => {
    const other = await bootstrapDatabase(
      { ...env, DATA_DIR: freshDataDir().dataDir },
      '--email',
      'other@example.com',
    );
    return other.apiKeys;
  };

  test('a receiver that takes longer than a lease gets each once, however many processes send', async () => {
    const second = await startServer({ ...env, DATA_DIR: freshDataDir().dataDir });
    closing.push(second.stop);
    const { id } = await create(receiver.url);
    receiver.behave((response) => void setTimeout(() => response.writeHead(204).end(), 20_000));
    for (let i = 0; i < 8; i++) await newPrompt(); // of one, its own process might be the first to look again
    let deliveries: Json[] = [];
    while (deliveries.length < 8 || deliveries.some(({ status }) => status !== 'succeeded')) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      deliveries = await deliveriesOf(id);
    }
    expect(deliveries.map(({ attemptCount }) => attemptCount)).toEqual(Array.from({ length: 8 }, () => 1));
    expect(receiver.received).toHaveLength(8);
  }, 60_000);

  test('SIGTERM: what is under way is finished and written down, and not sent again', async () => {
    const { id } = await create(receiver.url);
    let release = () => {};
    receiver.behave((response) => {
      release = () => void response.writeHead(204).end();
    });
    await newPrompt();
    await receiver.until((received) => received.length === 1);
    const stopped = site.server.stop();
    await new Promise((resolve) => setTimeout(resolve, 2_000)); // until nothing else keeps it
    release();
    expect(await stopped).toBe(0);
    site.server = await startServer({
      ...env,
      DATA_DIR: site.server.dataDir,
      PORT: String(site.server.port),
    });
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'succeeded', attemptCount: 1 }]);
    expect(receiver.received).toHaveLength(1);
  }, 60_000);
});
