import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSigningKeyStore } from '../../adapters/database/signing-keys.ts';
import { loadConfig } from '../../config/config.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openServices } from '../../src/services.ts';
import { me } from '../support/api.ts';
import { createCanaries } from '../support/canaries.ts';
import { latestMailTo } from '../support/mailbox.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce } from '../support/site.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { credentialsOf, getCode, getTokens, refreshForm, tokenRequest } from './support.ts';

const { plant, planted, findings } = createCanaries();

let site: PreparedSite<object>;
/** All rows as JSON (bytes in hex), and all bytes of the bytea columns as they are. */
let rows = '';
let bytes = Buffer.alloc(0);
/** The database's own files, deleted rows and the write-ahead log included. */
let files = Buffer.alloc(0);
let printed = '';
/** What was answered to requests with credentials where they don't belong: status, headers and body. */
let answered = '';

beforeAll(async () => {
  site = await startPreparedSite('embedded', async () => ({}), { LOG_LEVEL: 'trace' });
  const { made, server, userAgent, env } = site;
  plant('the secret key, base64', env['SECRET_KEY']);
  plant('the owner’s password', made.user.password);
  plant('a client secret', made.apps.web.clientSecret);
  plant('the secret of a service', made.apps.service.clientSecret);
  plant('a live API key', made.apiKeys.live);
  plant('a test API key', made.apiKeys.test);
  await signUp();

  const first = await getCode(site);
  plant('a code that was redeemed', first.code);
  plant('the verifier of a code', first.verifier);
  const { body } = await tokenRequest(site, first.redemption);
  plant('an access token', String(body['access_token']));
  const refreshToken = plant('a refresh token that was rotated', String(body['refresh_token']));
  const rotated = await tokenRequest(site, refreshForm(made.apps.web, refreshToken));
  plant('an access token from a refresh', String(rotated.body['access_token']));
  plant('a refresh token', String(rotated.body['refresh_token']));
  const second = await getTokens(site, { params: { scope: 'openid email prompts:read' } });
  plant('an id_token', second.id_token);
  plant('a code that was not redeemed', (await getCode(site)).code);
  const own = await tokenRequest(site, {
    grant_type: 'client_credentials',
    ...credentialsOf(made.apps.service),
  });
  plant('an access token of a service', String(own.body['access_token']));
  for (const credential of [made.apiKeys.live, made.apiKeys.test, second.access_token]) {
    if ((await me(site, credential)).status !== 200) throw new Error('a credential was refused');
  }
  await prepareOthers();
  await misuse(String(body['access_token']), refreshToken);

  // A step that is not finished: its cookies are live.
  await userAgent.open(authorizationUrl(site, pkce().challenge, { prompt: 'consent' }));
  const device = await userAgent.open('/oauth/device');
  plant(
    'the secret of the device form, kept in the session',
    /name="xsrf" value="([^"]+)"/.exec(device.html)?.[1],
  );
  const cookies = await userAgent.jar.getCookies(server.url, { allPaths: true });
  for (const { key, value } of cookies) plant(`the cookie ${key} ${value.slice(0, 3)}`, value);

  await server.stop();
  printed = server.stdout() + server.stderr();
  await readDatabase();
}, 120_000);

afterAll(() => site?.stop());

/** A pushed request and a device's codes, which nobody has used yet. */
async function prepareOthers(): Promise<void> {
  const { web, spa } = site.made.apps;
  const post = async (path: string, form: Record<string, string>): Promise<Record<string, string>> => {
    const answer = await fetch(site.server.url + path, { method: 'POST', body: new URLSearchParams(form) });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as Record<string, string>;
  };
  const request = new URL(authorizationUrl(site, pkce().challenge, {})).searchParams;
  request.set('state', plant('the state of a pushed request', 'a-state-that-is-nobody-elses'));
  const pushed = await post('/oauth/par', { ...Object.fromEntries(request), ...credentialsOf(web) });
  plant('the name of a pushed request', pushed['request_uri']?.split(':').at(-1));
  const device = await post('/oauth/device_authorization', { client_id: spa.clientId });
  plant('the code of a device', device['device_code']);
  plant('the code that a device shows', device['user_code']);
  plant('the same without its hyphen', device['user_code']?.replace('-', ''));
}

/** Sign-up, confirmation and reset of a person, with what is mailed. */
async function signUp(): Promise<void> {
  const { server } = site;
  const agent = createUserAgent(server.url);
  const email = 'canary@example.com';
  const password = plant('a password', 'canary battery staple wire');
  const form = { name: 'Canary', email, password, organization: 'Canaries' };
  await agent.submit(await agent.open('/signup'), form);
  const confirmation = (await latestMailTo(server.dataDir, email)).links[0] ?? '';
  plant('a mailed token that was used', new URL(confirmation).searchParams.get('token') ?? '');
  await agent.submit(await agent.open(confirmation), {});
  await agent.submit(await agent.open('/login'), { email, password }, '/login');
  const sessionCookie = (await agent.jar.getCookies(server.url)).find(({ key }) => key === 'pr_session');
  plant('the session cookie of another person', sessionCookie?.value);
  const wrong = plant('a mistyped password', 'canary battery staple wirf');
  const stranger = createUserAgent(server.url);
  await stranger.submit(await stranger.open('/login'), { email, password: wrong }, '/login');
  await stranger.submit(await stranger.open('/forgot-password'), { email });
  for (let tries = 0; tries < 50; tries++) {
    const link = (await latestMailTo(server.dataDir, email)).links[0] ?? '';
    if (link.includes('/reset-password')) {
      plant('a mailed token that was not used', new URL(link).searchParams.get('token') ?? '');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('no reset mail');
}

/** Credentials where they don't belong, which logs and error pages are tempted to keep. */
async function misuse(accessToken: string, refreshToken: string): Promise<void> {
  const { url } = site.server;
  const { web } = site.made.apps;
  const send = async (path: string, init: RequestInit = {}): Promise<void> => {
    for (const Accept of ['application/json', 'text/html']) {
      const headers = { Accept, ...(init.headers as Record<string, string>) };
      const answer = await fetch(url + path, { ...init, redirect: 'manual', headers });
      answered += `${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}\n`;
    }
  };
  const post = (path: string, body: string, type = 'application/x-www-form-urlencoded') =>
    send(path, { method: 'POST', body, headers: { 'Content-Type': type } });
  const live = site.made.apiKeys.live;

  await send(`/v1/me?access_token=${accessToken}`);
  await send(`/v1/me?api_key=${live}`);
  await send(`/v1/prompts/${live}`, { headers: { Authorization: `Bearer ${site.made.apiKeys.test}` } });
  await send(`/v1/prompts?${live}=1`, { headers: { Authorization: `Bearer ${site.made.apiKeys.test}` } });
  await post('/v1/prompts', JSON.stringify({ [live]: accessToken }), 'application/json');
  await post(`/oauth/token?refresh_token=${refreshToken}&client_secret=${web.clientSecret}`, '');
  await post('/oauth/token', `{"client_secret":"${web.clientSecret}"}`, 'application/json');
  await post('/oauth/token', `grant_type=${accessToken}&client_id=${refreshToken}&client_secret=${live}`);
  await post(
    '/oauth/token',
    new URLSearchParams({
      ...credentialsOf(web),
      grant_type: 'authorization_code',
      code: refreshToken,
      redirect_uri: 'x',
    }).toString(),
  );
  await post(
    '/oauth/introspect',
    new URLSearchParams({ ...credentialsOf(web), token: live, token_type_hint: refreshToken }).toString(),
  );
  await post(
    '/oauth/revoke',
    new URLSearchParams({ client_id: web.clientId, client_secret: live, token: refreshToken }).toString(),
  );
  await post('/login', new URLSearchParams({ email: site.made.user.password, password: live }).toString());
  await send(`/oauth/authorize?client_id=${web.clientId}&state=${accessToken}&scope=${refreshToken}`);
  await send(`/oauth/authorize?client_id=${live}&redirect_uri=${accessToken}`);
  await send(`/oauth/interaction/${refreshToken}`);
  await send(`/reset-password?token=${refreshToken}`);
  await send('/v1/me', { headers: { Authorization: `Basic ${web.clientSecret}` } });
  await send('/v1/me', { headers: { Authorization: `Bearer ${live}x` } });
  await send('/v1/me', { headers: { Authorization: `DPoP ${accessToken}`, DPoP: refreshToken } });
  await send(`/${refreshToken}`);
}

async function readDatabase(): Promise<void> {
  const services = await openServices(loadConfig(site.env), createLogger('warn'));
  const sql = services.database.sql();
  const tables = await sql('pg_catalog.pg_tables')
    .where({ schemaname: 'public' })
    .pluck<string[]>('tablename');
  for (const table of tables) {
    const found = await sql.raw<{ rows: { row: string }[] }>('SELECT row_to_json(t)::text AS row FROM ?? t', [
      table,
    ]);
    rows += found.rows.map(({ row }) => `${table} ${row}\n`).join('');
  }
  bytes = Buffer.concat(
    [...rows.matchAll(/\\\\x([0-9a-f]+)/g)].map(([, hex = '']) => Buffer.from(`${hex}00`, 'hex')),
  );
  for (const { kid, privateJwk } of await createSigningKeyStore(services.database, services.sealer).list()) {
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
      if (privateJwk[member]) plant(`${member} of the signing key ${kid}`, privateJwk[member]);
    }
  }
  await services.close();
  const folder = path.join(site.env['DATA_DIR'] as string, 'database');
  files = Buffer.concat(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name))),
  );
}

test('the search finds what it looks for', () => {
  const [name, value] = [...planted][0] as [string, string];
  for (const spelling of [
    value,
    Buffer.from(value).toString('hex'),
    Buffer.from(`xx${value}`).toString('base64'),
  ]) {
    expect(findings(`a${spelling}b`)).toEqual([name]);
  }
  expect(planted.size).toBeGreaterThan(25);
  expect(rows).toContain('canary@example.com');
  expect(rows).toMatch(/^oauth_records .*"kind":"Session"/m);
  expect(rows).toMatch(/^oauth_records .*"kind":"Interaction"/m);
  expect(rows).toMatch(/^oauth_records .*"kind":"AuthorizationCode"/m);
  expect(rows).toMatch(/^oauth_records .*"kind":"RefreshToken"/m);
  expect(bytes.length).toBeGreaterThan(1000);
  expect(files.includes('canary@example.com')).toBe(true);
});

test('no credential is in any row of any table, plain, in hex or in base64', () => {
  expect(findings(rows)).toEqual([]);
});

test('nor in the bytes of any column', () => {
  expect(findings(bytes)).toEqual([]);
});

test('nor in the files of the database, where deleted rows linger', () => {
  expect(findings(files)).toEqual([]);
});

test('nor in what the server printed, at the most talkative level', () => {
  expect(printed).toContain('/oauth/token');
  // An interaction's cookie is the id in its URL, worth nothing without its signature, which is planted too.
  const ids = /^the cookie pr_(?:interaction|resume) /;
  expect(findings(printed).filter((name) => !ids.test(name))).toEqual([]);
});

test('nor in what was answered to them: no error repeats what it was sent', () => {
  expect(answered.match(/^4\d\d /gm)?.length).toBeGreaterThan(30);
  expect(answered).not.toMatch(/^5\d\d /m);
  expect(findings(answered)).toEqual([]);
});
