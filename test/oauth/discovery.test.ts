import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Site } from '../support/site.ts';
import { API, fetchThroughProxy, startProductionSite, WEB } from '../support/tls-proxy.ts';

/** Members that name an endpoint, with the origin that it is on. */
const ENDPOINTS: Record<string, string> = {
  authorization_endpoint: WEB,
  end_session_endpoint: WEB,
  token_endpoint: API,
  userinfo_endpoint: API,
  jwks_uri: API,
  pushed_authorization_request_endpoint: API,
  device_authorization_endpoint: API,
  introspection_endpoint: API,
  revocation_endpoint: API,
};

describe('Discovery', () => {
  let site: Site;
  let send: typeof fetch;
  const read = async (name: string) =>
    (await (await send(`${API}/.well-known/${name}`)).json()) as Record<string, unknown>;

  beforeAll(async () => {
    site = await startProductionSite();
    send = fetchThroughProxy(site.server.port);
  }, 60_000);
  afterAll(() => site.stop());

  test('RFC 8414 §3 and OpenID Connect Discovery §4: both documents say the same', async () => {
    expect(await read('oauth-authorization-server')).toEqual(await read('openid-configuration'));
  });

  test('every endpoint that is named is on its own origin, and answers there and not on the other', async () => {
    const document = await read('openid-configuration');
    const named = Object.entries(document).filter(
      ([name]) => name.endsWith('_endpoint') || name === 'jwks_uri',
    );
    for (const [name, url] of named) {
      const origin = ENDPOINTS[name];
      expect({ name, url: String(url).startsWith(`${origin}/`) }).toEqual({ name, url: true });
      const path = new URL(String(url)).pathname;
      expect({ name, status: (await send(`${origin}${path}`)).status }).not.toMatchObject({ status: 404 });
      const elsewhere = await send(`${origin === API ? WEB : API}${path}`);
      expect({ name, status: elsewhere.status }).toEqual({ name, status: 404 });
    }
    expect(named.map(([name]) => name)).toEqual(expect.arrayContaining(Object.keys(ENDPOINTS)));
  });

  test('what is advertised is what the other tests show to work: nothing else', async () => {
    expect(await read('openid-configuration')).toMatchObject({
      issuer: API,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      claims_parameter_supported: false,
      request_uri_parameter_supported: false,
      subject_types_supported: ['public'],
    });
  });
});
