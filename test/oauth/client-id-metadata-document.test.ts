import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { me } from '../support/api.ts';
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts';
import { describeWith } from '../support/needs.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { authorizationUrl, pkce, type Site, startSite } from '../support/site.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { getCode, getTokens, refreshForm, tokenRequest } from './support.ts';

const REDIRECT = 'http://127.0.0.1:8976/callback';

describe('Client id metadata documents', () => {
  let site: Site;
  let web: HttpsServer;
  let document: Record<string, unknown>;
  let headers: Record<string, string>;
  let number = 0;

  beforeAll(async () => {
    web = await startHttpsServer();
    site = await startSite({ CLIENT_ID_METADATA_DOCUMENTS: 'on', NODE_EXTRA_CA_CERTS: web.certificateFile });
  }, 60_000);
  afterAll(async () => {
    await site.stop();
    await web.close();
  });

  let clientId: string;
  beforeEach(() => {
    clientId = `${web.url}/clients/${number++}.json`;
    document = { client_id: clientId, client_name: 'Published tool', redirect_uris: [REDIRECT] };
    headers = { 'Content-Type': 'application/json' };
    web.asked.length = 0;
    web.answer((_req, res) => res.writeHead(200, headers).end(JSON.stringify(document)));
  });
  const client = () => ({ clientId, clientSecret: '', redirectUris: [REDIRECT] });
  const open = (id: string) =>
    createUserAgent(site.server.url).open(
      authorizationUrl(site, pkce().challenge, {
        client_id: id,
        redirect_uri: REDIRECT,
        scope: 'prompts:read',
      }),
    );

  test('§4: an app is known by the URL of its document, shown by its host, and gets tokens', async () => {
    const { walked } = await getCode(site, { client: client(), params: { scope: 'prompts:read' } });
    expect(walked.consent?.html).toContain('Unverified');
    expect(walked.consent?.html).toContain(new URL(web.url).host);
    const tokens = await getTokens(site, { client: client(), params: { scope: 'prompts:read' } });
    expect(await me(site, tokens.access_token)).toMatchObject({ status: 200, body: { clientId } });
    expect((await tokenRequest(site, refreshForm(client(), tokens.refresh_token))).status).toBe(200);
    expect(web.asked).toHaveLength(1); // cached, and the token endpoint never fetches
  });

  test('§5: what the document says is taken up when it was read long enough ago, and no sooner than after a minute', async () => {
    headers['Cache-Control'] = 'max-age=0';
    await getCode(site, { client: client(), params: { scope: 'prompts:read' } });
    document['client_name'] = 'Renamed';
    const again = await open(clientId);
    expect(again.html).not.toContain('Renamed');
    expect(web.asked).toHaveLength(1);
  });

  test('members of ours in the document are ignored', async () => {
    Object.assign(document, {
      organization_id: site.made.organization.id,
      organization_name: 'Trusted',
      allowed_scopes: ['organization:admin'],
      app_source: 'organization',
      scope: 'prompts:read organization:admin',
    });
    const { walked } = await getCode(site, { client: client(), params: { scope: undefined } });
    expect(walked.consent?.html).toContain('Unverified');
    expect(walked.consent?.html).not.toContain('Trusted');
    expect(walked.consent?.html).not.toContain('organization:admin');
  });

  test.each<[string, () => void]>([
    ['names another client_id', () => (document['client_id'] = `${web.url}/other.json`)],
    ['has a secret', () => (document['client_secret'] = 'x')],
    ['wants to have a secret', () => (document['token_endpoint_auth_method'] = 'client_secret_basic')],
    ['has no redirect URI', () => (document['redirect_uris'] = [])],
    ['is not JSON by its type', () => (headers['Content-Type'] = 'text/html')],
    ['is not there', () => web.answer((_req, res) => res.writeHead(404, headers).end('{}'))],
    ['is not JSON', () => web.answer((_req, res) => res.writeHead(200, headers).end('<html>'))],
    ['is long', () => (document['client_uri'] = `https://x.example/${'x'.repeat(20_000)}`)],
    [
      'redirects',
      () => web.answer((_req, res) => res.writeHead(302, { Location: `${web.url}/other` }).end()),
    ],
    ['hangs up', () => web.answer((req) => req.socket.destroy())],
  ])('§4 and §6: a document that %s is refused, on a page of ours and not at the app', async (_, spoil) => {
    spoil();
    const page = await open(clientId);
    expect({ status: page.status, leftTo: page.leftTo }).toEqual({ status: 400, leftTo: undefined });
    expect(page.html).toContain('can not be used');
  });

  test.each([
    'https://127.0.0.1:1/',
    'https://localhost',
    'https://user@localhost/x.json',
    'https://localhost/a/../x.json',
    'https://localhost/%2e%2e/x.json',
    'https://localhost/x.json#y',
    'https://LOCALHOST/x.json',
    'http://localhost/x.json',
  ])('§3: %s is no client_id, and is not fetched', async (id) => {
    const page = await open(id);
    expect({ status: page.status, leftTo: page.leftTo }).toEqual({ status: 400, leftTo: undefined });
    expect(web.asked).toEqual([]);
  });

  test.each(['https://10.0.0.1/x.json', 'https://169.254.169.254/x.json', 'https://[fd00::1]/x.json'])(
    'SSRF: %s is not asked, and nothing is told of it but that',
    async (id) => {
      expect((await open(id)).html).toContain('could not be fetched (refused)');
    },
  );

  test('a client_id that nobody asked a person with is unknown at the token endpoint: nothing is fetched there', async () => {
    const answer = await tokenRequest(site, {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: 'x',
      redirect_uri: REDIRECT,
    });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(web.asked).toEqual([]);
  });

  test('discovery says that such apps are taken', async () => {
    const response = await fetch(new URL('/.well-known/oauth-authorization-server', site.server.url));
    expect(await response.json()).toMatchObject({ client_id_metadata_document_supported: true });
  });
});

describeWith('postgresql', 'A client id metadata document whose time is over', () => {
  let site: PreparedSite<undefined>;
  let web: HttpsServer;
  let document: Record<string, unknown>;
  let clientId: string;
  let status: number;

  beforeAll(async () => {
    web = await startHttpsServer();
    site = await startPreparedSite('postgresql', async () => undefined, {
      CLIENT_ID_METADATA_DOCUMENTS: 'on',
      NODE_EXTRA_CA_CERTS: web.certificateFile,
    });
  }, 60_000);
  afterAll(async () => {
    await site?.stop();
    await web?.close();
  });
  let number = 0;
  beforeEach(() => {
    clientId = `${web.url}/past/${number++}.json`;
    document = {
      client_id: clientId,
      client_name: 'Published tool',
      redirect_uris: [REDIRECT],
      scope: 'prompts:read reports:read',
    };
    status = 200;
    web.answer((_req, res) =>
      res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(document)),
    );
    web.asked.length = 0;
  });

  const client = (redirectUri = REDIRECT) => ({ clientId, clientSecret: '', redirectUris: [redirectUri] });
  const params = { scope: 'prompts:read reports:read' };
  const passTime = () =>
    site.services.database
      .sql()('apps')
      .where({ id: clientId })
      .update({ document_fresh_until: new Date(Date.now() - 1_000) });
  const open = (redirectUri: string) =>
    createUserAgent(site.server.url).open(
      authorizationUrl(site, pkce().challenge, {
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: 'prompts:read',
      }),
    );

  test('§5: is read anew, and what it says now holds at once: name, redirect URIs, scopes', async () => {
    const tokens = await getTokens(site, { client: client(), params });
    expect((await me(site, tokens.access_token)).body['scopes']).toEqual(['prompts:read', 'reports:read']);
    const moved = 'http://127.0.0.1:8976/elsewhere';
    Object.assign(document, { client_name: 'Renamed', redirect_uris: [moved], scope: 'prompts:read' });
    await passTime();

    expect((await open(REDIRECT)).status).toBe(400);
    expect((await open(moved)).html).toContain('Renamed');
    expect(web.asked).toHaveLength(2);
    const narrow = await getTokens(site, { client: client(moved), params: { scope: 'prompts:read' } });
    expect((await me(site, narrow.access_token)).body['scopes']).toEqual(['prompts:read']);
    expect((await me(site, tokens.access_token)).body['scopes']).toEqual(['prompts:read']);
    const refreshed = await tokenRequest(site, refreshForm(client(), tokens.refresh_token));
    expect(refreshed.body['scope']).toBe('prompts:read');
  });

  test('§5: that is not there any more begins nothing; what people allowed goes on', async () => {
    const tokens = await getTokens(site, { client: client(), params });
    status = 404;
    await passTime();
    const page = await open(REDIRECT);
    expect({ status: page.status, leftTo: page.leftTo }).toEqual({ status: 400, leftTo: undefined });
    expect((await tokenRequest(site, refreshForm(client(), tokens.refresh_token))).status).toBe(200);
    expect(web.asked).toHaveLength(2);
    status = 200;
    expect((await open(REDIRECT)).html).toContain('Published tool');
  });
});

test('where they are off, a URL is no client_id, and is not fetched', async () => {
  const site = await startSite();
  const page = await createUserAgent(site.server.url).open(
    authorizationUrl(site, pkce().challenge, { client_id: 'https://app.example/client.json' }),
  );
  expect(page.status).toBe(400);
  expect(page.html).toContain('invalid_client');
  await site.stop();
}, 60_000);
