import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { ERRORS, type ErrorCode } from '../../src/kernel/errors.ts';
import { callApi, ownToken } from '../support/api.ts';
import { type Site, startSite } from '../support/site.ts';

type Attempt = { method?: string; path: string; headers?: Record<string, string>; body?: string };

/** Shown where they can be: plain HTTP with two origins, a database that fails, and limits. */
const ELSEWHERE: ErrorCode[] = ['https_required', 'unavailable', 'rate_limited', 'internal_error'];

describe("The contract's table of errors, row by row", () => {
  let site: Site;
  let admin: string;
  const json = { 'Content-Type': 'application/json' };
  const as = (credential: string) => ({ Authorization: `Bearer ${credential}` });

  const newKey = async (fields: object = {}): Promise<{ id: string; key: string }> => {
    const key = { name: 'k', environment: 'live', scopes: ['prompts:read'], ...fields };
    return (await callApi<{ id: string; key: string }>(site, admin, 'POST', '/v1/api-keys', key)).body;
  };
  const send = ({ method = 'GET', path, headers = {}, body }: Attempt) =>
    fetch(new URL(path, site.server.url), { method, headers, ...(body === undefined ? {} : { body }) });

  beforeAll(async () => {
    site = await startSite();
    admin = await ownToken(site, site.made.apps.service, ALL_SCOPES.join(' '));
  }, 60_000);

  afterAll(() => site.stop());

  const rows: [ErrorCode, () => Promise<Attempt>][] = [
    [
      'bad_request',
      async () => ({ method: 'POST', path: '/v1/prompts', headers: { ...as(admin), ...json }, body: '{' }),
    ],
    ['credential_in_url', async () => ({ path: `/v1/prompts?access_token=${admin}` })],
    ['multiple_credentials', async () => ({ path: `/v1/prompts?access_token=${admin}`, headers: as(admin) })],
    ['missing_credential', async () => ({ path: '/v1/prompts' })],
    ['invalid_credential', async () => ({ path: '/v1/prompts', headers: as(`pr_live_${'0'.repeat(36)}`) })],
    [
      'credential_expired',
      async () => {
        const { id, key } = await newKey();
        const body = '{"gracePeriodSeconds":0}';
        await send({
          method: 'POST',
          path: `/v1/api-keys/${id}/rotate`,
          headers: { ...as(admin), ...json },
          body,
        });
        return { path: '/v1/me', headers: as(key) };
      },
    ],
    [
      'credential_revoked',
      async () => {
        const { id, key } = await newKey();
        await send({ method: 'DELETE', path: `/v1/api-keys/${id}`, headers: as(admin) });
        return { path: '/v1/me', headers: as(key) };
      },
    ],
    ['insufficient_scope', async () => ({ path: '/v1/reports', headers: as((await newKey()).key) })],
    [
      'ip_not_allowed',
      async () => ({ path: '/v1/me', headers: as((await newKey({ ipAllowlist: ['10.0.0.1'] })).key) }),
    ],
    [
      'forbidden',
      async () => ({
        method: 'POST',
        path: '/v1/api-keys',
        headers: { ...as(site.made.apiKeys.live), ...json },
        body: '{"name":"k","environment":"live","scopes":[]}',
      }),
    ],
    ['not_found', async () => ({ path: `/v1/prompts/prm_${'0'.repeat(26)}`, headers: as(admin) })],
    ['method_not_allowed', async () => ({ method: 'PUT', path: '/v1/prompts', headers: as(admin) })],
    [
      'conflict',
      async () => {
        const { id } = await newKey();
        const attempt = { method: 'POST', path: `/v1/api-keys/${id}/rotate`, headers: as(admin) };
        await send(attempt);
        return attempt;
      },
    ],
    [
      'payload_too_large',
      async () => ({
        method: 'POST',
        path: '/v1/prompts',
        headers: { ...as(admin), ...json },
        body: JSON.stringify({ name: 'n', content: 'x'.repeat(1_100_000) }),
      }),
    ],
    [
      'unsupported_media_type',
      async () => ({ method: 'POST', path: '/v1/prompts', headers: as(admin), body: 'x' }),
    ],
    [
      'validation_failed',
      async () => ({
        method: 'POST',
        path: '/v1/prompts',
        headers: { ...as(admin), ...json },
        body: '{"name":""}',
      }),
    ],
  ];

  test('has a row for every code', () => {
    expect([...rows.map(([code]) => code), ...ELSEWHERE].sort()).toEqual(Object.keys(ERRORS).sort());
  });

  test.each(rows)('%s', async (code, prepare) => {
    const response = await send(await prepare());
    const { status, title } = ERRORS[code];
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({ type: `${site.server.url}/docs/errors/${code}`, title, status, code });
    expect(String(problem['detail']).length).toBeGreaterThan(10);
    expect(problem['requestId']).toBe(response.headers.get('x-request-id'));
    if (code === 'insufficient_scope') expect(problem['requiredScopes']).toEqual(['reports:read']);
    if (code === 'validation_failed')
      expect(problem['errors']).toEqual(
        expect.arrayContaining([expect.objectContaining({ path: 'content' })]),
      );
    if (code === 'method_not_allowed') expect(response.headers.get('allow')).toContain('GET');
    const challenge = response.headers.get('www-authenticate');
    if (status === 401 || status === 403) expect(challenge).toMatch(/^Bearer /);
    if (code === 'missing_credential') expect(challenge).not.toContain('error=');
    const page = await fetch(String(problem['type']));
    expect(page.status).toBe(200);
  });

  test('a body of thousands of faults is answered with the first hundred', async () => {
    const members = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`unknown${i}`, i]));
    const response = await send({
      method: 'POST',
      path: '/v1/prompts',
      headers: { ...as(admin), ...json },
      body: JSON.stringify({ name: 'n', content: 'c', ...members }),
    });
    expect(response.status).toBe(422);
    expect(((await response.json()) as { errors: unknown[] }).errors).toHaveLength(100);
  });
});
