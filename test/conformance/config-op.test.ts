import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startWorld, type World } from './world.ts';

/** OpenID Foundation, OpenID Connect Discovery: Config certification profile. */
describe('oidcc-config-certification-test-plan', () => {
  let world: World;
  let metadata: Record<string, unknown>;
  beforeAll(async () => {
    world = await startWorld();
    const answer = await fetch(`${world.issuer}/.well-known/openid-configuration`);
    metadata = (await answer.json()) as Record<string, unknown>;
  }, 60_000);
  afterAll(() => world?.stop());

  // One module there; its conditions are checked one by one.
  test('oidcc-discovery-endpoint-verification', async () => {
    const answer = await fetch(`${world.issuer}/.well-known/openid-configuration`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(metadata['issuer']).toBe(world.issuer);
    for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri']) {
      expect(URL.canParse(String(metadata[name]))).toBe(true);
    }
    expect(metadata).toMatchObject({
      response_types_supported: expect.arrayContaining(['code']),
      subject_types_supported: expect.arrayContaining(['public']),
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
      scopes_supported: expect.arrayContaining(['openid']),
      claims_supported: expect.arrayContaining(['sub']),
      grant_types_supported: expect.arrayContaining(['authorization_code']),
      token_endpoint_auth_methods_supported: expect.arrayContaining([
        'client_secret_basic',
        'client_secret_post',
      ]),
    });
    expect(metadata['id_token_signing_alg_values_supported']).not.toContain('none');
  });

  test('oidcc-discovery-endpoint-verification (CheckJwksUri, CheckForKeyIdInServerJWKs)', async () => {
    const answer = await fetch(String(metadata['jwks_uri']));
    const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] };
    expect(keys.length).toBeGreaterThan(0);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys) {
      expect(key).toMatchObject({ kid: expect.any(String), kty: expect.any(String), use: 'sig' });
      expect(
        Object.keys(key).filter((member) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].includes(member)),
      ).toEqual([]);
      if (key['kty'] === 'RSA')
        expect(Buffer.from(String(key['n']), 'base64url').length).toBeGreaterThanOrEqual(256);
    }
  });

  test('oidcc-discovery-endpoint-verification (lists are lists, of what their specifications allow)', () => {
    const lists = Object.entries(metadata).filter(([name]) => name.endsWith('_supported'));
    for (const [name, value] of lists) {
      if (typeof value === 'boolean') continue;
      expect([name, Array.isArray(value) && value.length > 0]).toEqual([name, true]);
      const items = value as unknown[];
      expect([name, items.filter((item) => typeof item !== 'string' || item === '')]).toEqual([name, []]);
      expect([name, new Set(items).size]).toEqual([name, items.length]);
    }
    const scopes = metadata['scopes_supported'] as string[];
    expect(scopes.filter((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))).toEqual([]); // RFC 6749 §3.3
    expect(metadata['code_challenge_methods_supported']).toEqual(['S256']);
    expect(metadata['response_modes_supported']).toEqual(expect.arrayContaining(['query']));
  });

  test('oidcc-discovery-endpoint-verification (no endpoint but by https or on loopback)', () => {
    const urls = Object.entries(metadata).filter(([name]) => /(_endpoint|_uri)$/.test(name));
    expect(urls.length).toBeGreaterThan(8);
    for (const [, url] of urls) expect(String(url)).toMatch(/^(https:\/\/|http:\/\/localhost:)/);
    expect(String(metadata['issuer'])).not.toMatch(/[?#]/);
  });

  test('oidcc-discovery-endpoint-verification (CheckDiscEndpointRequestUriParameterSupported)', () => {
    expect(metadata['request_uri_parameter_supported']).toBe(false); // absent would mean true
    expect(metadata['request_parameter_supported'] ?? false).toBe(false);
  });
});
