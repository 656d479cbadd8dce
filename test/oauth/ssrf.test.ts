import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { authorizationUrl, pkce, type Site, startSite } from '../support/site.ts';
import { fetchThroughProxy } from '../support/tls-proxy.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { walk } from './support.ts';

const API = 'https://api.example.com';
const WEB = 'https://www.example.com';

/** What each URL could be spelled like is in test/adapters/safe-fetch and test/kernel/public-address; here, that each goes that way. */
describe('SSRF: in production no URL of a stranger leads to this machine', () => {
  let site: Site;
  let send: typeof fetch;
  /** A server inside, whose certificate is trusted: nothing but the address speaks against asking it. */
  let inside: HttpsServer;
  let keyed: Client;
  let pictured: Client;
  let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

  beforeAll(async () => {
    inside = await startHttpsServer();
    const pair = await generateKeyPair('ES256', { extractable: true });
    privateKey = pair.privateKey;
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' };
    inside.answer((req, res) => {
      const id = inside.url + (req.url ?? '');
      const document = { client_id: id, redirect_uris: ['https://app.example/cb'], keys: [jwk] };
      res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
    });
    site = await startSite(
      {
        NODE_ENV: 'production',
        API_URL: API,
        WEB_URL: WEB,
        SECRET_KEY: Buffer.alloc(32, 3).toString('base64'),
        TRUSTED_PROXIES: '127.0.0.1',
        REGISTRATION: 'open',
        CLIENT_ID_METADATA_DOCUMENTS: 'on',
        NODE_EXTRA_CA_CERTS: inside.certificateFile,
      },
      async (services, made) => {
        keyed = await addApp(services, made, { kind: 'service', jwksUri: `${inside.url}/jwks` });
        pictured = await addApp(services, made, { logoUrl: `${inside.url}/logo.png` });
      },
    );
    send = fetchThroughProxy(site.server.port);
  }, 60_000);
  afterAll(async () => {
    await site?.stop();
    await inside?.close();
  });
  beforeEach(() => {
    inside.asked.length = 0;
  });

  const authorize = (client: Pick<Client, 'clientId'>, redirectUri: string) => {
    const path = new URL(
      authorizationUrl(site, pkce().challenge, { client_id: client.clientId, redirect_uri: redirectUri }),
    );
    return `${WEB}${path.pathname}${path.search}`;
  };
  const assertion = (clientId: string) =>
    new SignJWT({ iss: clientId, sub: clientId, aud: API, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey);
  const token = async (clientId: string) =>
    send(`${API}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(clientId),
      }),
    });

  test('the keys of an app (jwks_uri)', async () => {
    const answer = await token(keyed.clientId);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: 'invalid_client' });
    expect(inside.asked).toEqual([]);
  });

  test('the keys of an app that registered itself', async () => {
    const registered = await send(`${API}/oauth/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: ['https://app.example/cb'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: `${inside.url}/jwks`,
      }),
    });
    expect(registered.status).toBe(201);
    const { client_id: clientId } = (await registered.json()) as { client_id: string };
    expect((await token(clientId)).status).toBe(401);
    expect(inside.asked).toEqual([]);
  });

  test('a client id metadata document', async () => {
    const page = await createUserAgent(WEB, send).open(
      authorize({ clientId: `${inside.url}/client.json` }, 'https://app.example/cb'),
    );
    expect(page.status).toBe(400);
    expect(page.html).toContain('could not be fetched (refused)');
    expect(inside.asked).toEqual([]);
  });

  test('a logo: browsers show it, the server never asks for it', async () => {
    const agent = createUserAgent(WEB, send);
    const walked = await walk(agent, authorize(pictured, pictured.redirectUris[0] ?? ''), site.made.user);
    expect(walked.consent?.html).toContain(`${inside.url}/logo.png`);
    expect(inside.asked).toEqual([]);
  });
});
