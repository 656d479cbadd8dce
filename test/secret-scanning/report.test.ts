import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { issueSecret } from '../../src/kernel/secret.ts';
import { callApi, ownToken } from '../support/api.ts';
import { mailsTo } from '../support/mailbox.ts';
import { codeFlow, postToken, type Site, startSite } from '../support/site.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

type Json = Record<string, unknown>;

const github = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const PUBLIC_KEYS = {
  public_keys: [
    {
      key_identifier: 'f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d',
      key: github.publicKey.export({ type: 'spki', format: 'pem' }),
      is_current: true,
    },
  ],
};
const IDENTIFIER = PUBLIC_KEYS.public_keys[0]?.key_identifier ?? '';

const initialToken = issueSecret('iat_').reveal();

let publisher: Server;
let published = 0;
let site: Site;
let receiver: Receiver;
let keysUrl: string;
let admin: string;

beforeAll(async () => {
  publisher = createServer((_request, response) => {
    published++;
    response.end(JSON.stringify(PUBLIC_KEYS));
  }).listen(0, '127.0.0.1');
  await once(publisher, 'listening');
  keysUrl = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}/meta/public_keys/secret_scanning`;
  site = await startSite({ SECRET_SCANNING_KEYS_URL: keysUrl, REGISTRATION: 'token' }, ({ records }) =>
    records.keepInitialAccessToken(initialToken, 3_600),
  );
  receiver = await startReceiver();
  admin = await ownToken(
    site,
    site.made.apps.service,
    'organization:admin organization:read prompts:read webhooks:read webhooks:write',
  );
  const webhook = { url: receiver.url, events: ['api_key.leaked'] };
  await call('POST', '/v1/webhooks', webhook);
}, 60_000);
afterAll(async () => {
  await site.stop();
  await receiver.close();
  publisher.close();
});

const call = (method: string, path: string, body?: object, key = admin) =>
  callApi<Json>(site, key, method, path, body);

const newKey = async (): Promise<{ id: string; key: string }> => {
  const key = { name: 'CI', environment: 'live', scopes: ['prompts:read'] };
  return (await call('POST', '/v1/api-keys', key)).body as { id: string; key: string };
};

const url = 'https://github.com/octo/repository/blob/main/.env';

async function report(
  tokens: string[],
  options: { key?: KeyObject; headers?: Record<string, string>; body?: string; server?: string } = {},
): Promise<{ status: number; json: unknown; headers: Headers }> {
  const body =
    options.body ??
    JSON.stringify(tokens.map((token) => ({ token, type: 'promptreports_secret', url, source: 'content' })));
  const signature = sign('sha256', Buffer.from(body), options.key ?? github.privateKey).toString('base64');
  const response = await fetch(new URL('/secret-scanning/report', options.server ?? site.server.url), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Github-Public-Key-Identifier': IDENTIFIER,
      'Github-Public-Key-Signature': signature,
      ...options.headers,
    },
    body,
  });
  return { status: response.status, json: await response.json(), headers: response.headers };
}

const labels = ({ json }: { json: unknown }) => (json as { label: string }[]).map(({ label }) => label);
const eventsOf = (id: string) =>
  receiver.received.filter(({ event }) => event.data['id'] === id).map(({ event }) => event);

describe('GitHub’s secret scanning', () => {
  test('a real key is revoked at once, its owner told by mail and webhook, once', async () => {
    const { id, key } = await newKey();
    expect((await call('GET', '/v1/me', undefined, key)).status).toBe(200);
    const wrong = issueSecret('pr_live_').reveal();
    const answer = await report([key, wrong, `${key.slice(0, -1)}_`, 'AKIAIOSFODNN7EXAMPLE']);
    expect(answer).toMatchObject({
      status: 200,
      json: [
        { token_raw: key, token_type: 'promptreports_secret', label: 'true_positive' },
        { token_raw: wrong, token_type: 'promptreports_secret', label: 'false_positive' },
        { label: 'false_positive' },
        { label: 'false_positive' },
      ],
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await call('GET', '/v1/me', undefined, key)).toMatchObject({
      status: 401,
      body: { code: 'credential_revoked' },
    });

    await receiver.until(() => eventsOf(id).length > 0);
    expect(labels(await report([key, key]))).toEqual(['true_positive', 'true_positive']);
    expect(eventsOf(id)).toMatchObject([
      {
        type: 'api_key.leaked',
        data: { object: 'api_key', id, secret: 'api_key', action: 'revoked', foundAt: url },
      },
    ]);
    const log = await call('GET', `/v1/organization/audit-log?targetId=${id}&type=api_key.revoked`);
    expect(log.body['data']).toMatchObject([{ actor: { type: 'system' }, data: { reason: 'leaked' } }]);

    const { email } = site.made.user;
    const mails = () => mailsTo(site.server.dataDir, email).filter(({ text }) => text.includes(id));
    while (mails().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(mails()).toMatchObject([
      { subject: 'An API key was found in public, and revoked', text: expect.stringContaining(url) },
    ]);
    expect(mails()[0]?.text).not.toContain(key);
  });

  test('by the organization’s setting a key is rolled: it works for an hour, and has a successor', async () => {
    const set = await call('PATCH', '/v1/organization', { leakedSecrets: 'roll' });
    expect(set.body).toMatchObject({ leakedSecrets: 'roll' });
    const { id, key } = await newKey();
    expect(labels(await report([key]))).toEqual(['true_positive']);
    expect((await call('GET', '/v1/me', undefined, key)).status).toBe(200);
    const old = (await call('GET', `/v1/api-keys/${id}`)).body;
    expect(old['status']).toBe('expiring');
    const leftMs = Date.parse(String(old['expiresAt'])) - Date.now();
    expect(leftMs).toBeGreaterThan(3_500_000);
    expect(leftMs).toBeLessThan(3_600_001);

    const list = (await call('GET', '/v1/api-keys?limit=100')).body['data'] as Json[];
    const [successor] = list.filter((one) => one['rotatedFrom'] === id);
    expect(successor).toMatchObject({ name: 'CI', scopes: ['prompts:read'], status: 'active' });
    const rotated = await call('POST', `/v1/api-keys/${successor?.['id']}/rotate`, { gracePeriodSeconds: 0 });
    const me = await call('GET', '/v1/me', undefined, String(rotated.body['key']));
    expect([rotated.status, me.status]).toEqual([201, 200]);

    await report([key]);
    const again = (await call('GET', '/v1/api-keys?limit=100')).body['data'] as Json[];
    expect(again.filter((one) => one['rotatedFrom'] === id)).toHaveLength(1);
    await call('PATCH', '/v1/organization', { leakedSecrets: 'revoke' });
  });

  test('a client secret is deleted', async () => {
    const app = { name: 'Leaky', kind: 'service', environment: 'live', scopes: ['prompts:read'] };
    const { body } = await call('POST', '/v1/apps', app);
    const credentials = {
      grant_type: 'client_credentials',
      client_id: String(body['id']),
      client_secret: String(body['clientSecret']),
    };
    expect((await postToken(site, credentials)).status).toBe(200);
    expect(labels(await report([credentials.client_secret]))).toEqual(['true_positive']);
    expect((await postToken(site, credentials)).status).toBe(401);
    // It is gone, and known by what was told of it: GitHub finds the same in many places.
    expect(labels(await report([credentials.client_secret]))).toEqual(['true_positive']);
    await receiver.until(() => eventsOf(credentials.client_id).length === 1);
    expect(eventsOf(credentials.client_id)).toMatchObject([
      { data: { object: 'app', secret: 'client_secret' } },
    ]);
  });

  test('a refresh token ends with all that hangs on its grant', async () => {
    const { refresh_token = '', access_token } = await codeFlow(site);
    expect((await call('GET', '/v1/me', undefined, access_token)).status).toBe(200);
    expect(labels(await report([refresh_token]))).toEqual(['true_positive']);
    const { web } = site.made.apps;
    const refreshed = await postToken(site, {
      grant_type: 'refresh_token',
      client_id: web.clientId,
      client_secret: web.clientSecret,
      refresh_token,
    });
    expect(refreshed.status).toBe(400);
    expect((await call('GET', '/v1/me', undefined, access_token)).status).toBe(401);
    await receiver.until(() => eventsOf(web.clientId).length === 1);
  });

  test('a webhook’s secret signs no more', async () => {
    const made = (await call('POST', '/v1/webhooks', { url: receiver.url, events: ['prompt.*'] })).body;
    for (let times = 0; times < 2; times++) {
      expect(labels(await report([String(made['secret'])]))).toEqual(['true_positive']);
    }
    await receiver.until(() => eventsOf(String(made['id'])).length === 1);
    expect(eventsOf(String(made['id']))).toMatchObject([{ data: { object: 'webhook', action: 'revoked' } }]);
  });

  test('the tokens and secrets of registration, which are nobody’s, open nothing more', async () => {
    const register = async () => {
      const response = await fetch(new URL('/oauth/register', site.server.url), {
        method: 'POST',
        headers: { Authorization: `Bearer ${initialToken}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ client_name: 'A tool', redirect_uris: ['https://tool.example.com/callback'] }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const { status, body } = await register();
    const [id = '', secret = '', token = ''] = [
      body['client_id'],
      body['client_secret'],
      body['registration_access_token'],
    ];
    expect([status, secret.slice(0, 7), token.slice(0, 4)]).toEqual([201, 'secret_', 'reg_']);
    const read = () =>
      fetch(body['registration_client_uri'] ?? '', { headers: { Authorization: `Bearer ${token}` } });
    const refreshWith = async (client_secret: string) =>
      (await (
        await postToken(site, {
          grant_type: 'refresh_token',
          refresh_token: 'x',
          client_id: id,
          client_secret,
        })
      ).json()) as Json;
    expect((await read()).status).toBe(200);
    expect((await refreshWith(secret))['error']).toBe('invalid_grant');

    expect(labels(await report([token, secret, initialToken]))).toEqual(
      Array.from({ length: 3 }, () => 'true_positive'),
    );
    expect((await read()).status).toBe(401);
    expect((await refreshWith(secret))['error']).toBe('invalid_client');
    expect((await register()).status).toBe(401);
    const made = ['reg_', 'iat_'].map((prefix) => issueSecret(prefix).reveal());
    expect(labels(await report(made))).toEqual(['false_positive', 'false_positive']);
  });

  test('a report that GitHub did not sign does nothing', async () => {
    const { key } = await newKey();
    const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    expect((await report([key], { key: stranger })).status).toBe(403);
    const unknown = { 'Github-Public-Key-Identifier': 'somebody' };
    expect((await report([key], { headers: unknown })).status).toBe(403);
    const notBase64 = { 'Github-Public-Key-Signature': '!' };
    expect((await report([key], { headers: notBase64 })).status).toBe(403);
    const none = { 'Github-Public-Key-Signature': '' };
    expect((await report([key], { headers: none })).status).toBe(400);
    const other = sign('sha256', Buffer.from('[]'), github.privateKey).toString('base64');
    expect((await report([key], { headers: { 'Github-Public-Key-Signature': other } })).status).toBe(403);
    expect((await call('GET', '/v1/me', undefined, key)).status).toBe(200);
    expect(published).toBe(1); // whatever identifiers are made up
  });

  test.each([
    ['no JSON', '[', 400],
    ['no list', '{"token":"x"}', 400],
    ['a list of something else', '[1]', 400],
    [
      'more than a report may have',
      JSON.stringify(Array.from({ length: 1_001 }, () => ({ token: 'x' }))),
      400,
    ],
    ['NUL', '[{"token":"a\\u0000b","type":"x"}]', 422],
  ])('a body that is %s: %s is refused', async (_what, body, status) => {
    expect((await report([], { body })).status).toBe(status);
  });

  test('another method, and the path without the setting, are not there', async () => {
    expect((await fetch(new URL('/secret-scanning/report', site.server.url))).status).toBe(404);
    const without = await startSite();
    try {
      expect((await report(['x'], { server: without.server.url })).status).toBe(404);
    } finally {
      await without.stop();
    }
  });
});

test('IP allowlist: a real key from an address that is not on it is told of, once a day', async () => {
  const newOfficeKey = async () => {
    const key = {
      name: 'Office',
      environment: 'live',
      scopes: ['prompts:read'],
      ipAllowlist: ['203.0.113.0/24'],
    };
    return (await call('POST', '/v1/api-keys', key)).body as { id: string; key: string };
  };
  const use = async ({ key }: { key: string }) =>
    expect((await call('GET', '/v1/prompts', undefined, key)).body['code']).toBe('ip_not_allowed');
  const [often, once] = [await newOfficeKey(), await newOfficeKey()];
  await call('POST', '/v1/webhooks', { url: receiver.url, events: ['api_key.unusual_activity'] });

  for (let i = 0; i < 3; i++) await use(often);
  await receiver.until(() => eventsOf(often.id).length > 0);
  for (let i = 0; i < 3; i++) await use(often);
  await use(once);
  await receiver.until(() => eventsOf(once.id).length > 0); // written after what else was noted before
  expect(eventsOf(often.id)).toMatchObject([
    { type: 'api_key.unusual_activity', data: { rule: 'outside_allowlist', ip: expect.any(String) } },
  ]);
});
