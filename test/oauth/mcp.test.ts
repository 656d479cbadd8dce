import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { auth, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { withOAuth } from '@modelcontextprotocol/sdk/client/middleware.js';
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts';
import { type Site, startSite } from '../support/site.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { callbackOf, walk } from './support.ts';

const REDIRECT = 'http://127.0.0.1:33418/callback';

/** What a program that speaks MCP keeps, and the address that it would open a browser at. */
function createProgram(clientMetadataUrl?: string) {
  const kept: Record<string, unknown> = {};
  let asked: URL | undefined;
  const keep = (name: string, value: unknown): void => {
    kept[name] = value;
  };
  const provider: OAuthClientProvider = {
    redirectUrl: REDIRECT,
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    clientMetadata: {
      client_name: 'An MCP client',
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept['client'] as never,
    saveClientInformation: (client) => keep('client', client),
    tokens: () => kept['tokens'] as never,
    saveTokens: (tokens) => keep('tokens', tokens),
    redirectToAuthorization: (url) => {
      asked = url;
    },
    saveCodeVerifier: (verifier) => keep('verifier', verifier),
    codeVerifier: () => kept['verifier'] as string,
  };
  return { provider, asked: () => asked?.href ?? '', kept };
}

describe('An MCP client authorizes against /v1 by discovery alone', () => {
  let site: Site;
  let web: HttpsServer;

  beforeAll(async () => {
    web = await startHttpsServer();
    site = await startSite({
      REGISTRATION: 'open',
      CLIENT_ID_METADATA_DOCUMENTS: 'on',
      NODE_EXTRA_CA_CERTS: web.certificateFile,
    });
  }, 60_000);
  afterAll(async () => {
    await site.stop();
    await web.close();
  });

  /** From a 401 at that URL, which is all that the program knows of us, or from the URL of a server, to an answer. */
  async function connect(program: ReturnType<typeof createProgram>, url: string, serverUrl?: string) {
    const call = withOAuth(program.provider, serverUrl)(fetch);
    if (serverUrl === undefined) await expect(call(url)).rejects.toThrow('redirect initiated');
    else expect(await auth(program.provider, { serverUrl })).toBe('REDIRECT');
    const walked = await walk(createUserAgent(site.server.url), program.asked(), site.made.user);
    const authorizationCode = callbackOf(walked).get('code') ?? '';
    const done = await auth(program.provider, { serverUrl: serverUrl ?? site.server.url, authorizationCode });
    expect(done).toBe('AUTHORIZED');
    return call(url);
  }

  test.each([
    ['from the 401 alone', undefined],
    ['with /v1 as its server', '/v1'],
  ])('RFC 9728, 8414, 7591, 7636, 8707: registration, %s', async (_, path) => {
    const program = createProgram();
    const url = `${site.server.url}/v1/prompts`;
    const answer = await connect(program, url, path === undefined ? undefined : site.server.url + path);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ object: 'list' });
    expect(program.kept).toMatchObject({
      client: { client_id: expect.stringMatching(/^app_/) },
      tokens: { token_type: 'Bearer', refresh_token: expect.any(String) },
    });
    expect(new URL(program.asked()).searchParams.get('resource')).toMatch(
      path === undefined ? /^http:\/\/localhost:\d+\/?$/ : /\/v1$/,
    );
  });

  test('client id metadata documents: no registration where the program publishes who it is', async () => {
    const id = `${web.url}/mcp-client.json`;
    web.answer((_req, res) =>
      res
        .writeHead(200, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ client_id: id, client_name: 'Published', redirect_uris: [REDIRECT] })),
    );
    const program = createProgram(id);
    const answer = await connect(program, `${site.server.url}/v1/me`, `${site.server.url}/v1`);
    expect(await answer.json()).toMatchObject({ method: 'oauth_user', clientId: id });
  });

  test('a token that has expired is refreshed on the way', async () => {
    const program = createProgram();
    await connect(program, `${site.server.url}/v1/me`);
    const { access_token: before, ...rest } = program.kept['tokens'] as { access_token: string };
    program.kept['tokens'] = { ...rest, access_token: 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA' };
    const answer = await withOAuth(program.provider)(fetch)(`${site.server.url}/v1/me`);
    expect(answer.status).toBe(200);
    expect((program.kept['tokens'] as { access_token: string }).access_token).not.toBe(before);
  });

  test('RFC 9728 §3.3: the document of each resource names that resource, and this server', async () => {
    for (const resource of ['', '/v1', '/v1/prompts', '/v1/organization']) {
      const response = await fetch(`${site.server.url}/.well-known/oauth-protected-resource${resource}`);
      expect(await response.json()).toMatchObject({
        resource: site.server.url + resource,
        authorization_servers: [site.server.url],
        bearer_methods_supported: ['header'],
      });
    }
  });
});
