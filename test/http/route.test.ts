import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Scope } from '../../config/scopes.ts';
import { defineRoute } from '../../src/http/route.ts';
import { createApiRoutes } from '../../src/http/router.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { absent, createResolve, proven } from '../../src/principals/resolve.ts';
import { ALLOWANCE, NO_LIMITS } from '../support/limits.ts';
import { sendRaw, startApp, type TestApp } from './support.ts';

// One word is a credential here: the pipeline itself is under test, not what proves a principal.
const scopes: Scope[] = ['prompts:read', 'prompts:write'];
const resolve = createResolve([
  async ({ credential }) =>
    credential === 'good'
      ? proven({
          method: 'api_key',
          id: 'key_1',
          organizationId: 'org_1',
          environment: 'live',
          scopes,
          allowance: ALLOWANCE,
        })
      : absent,
]);

const item = z.strictObject({
  name: z.string(),
  size: z.int().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  nested: z.strictObject({ a: z.string() }).optional(),
});
const route = (method: 'GET' | 'POST', path: string, scope: Scope) =>
  defineRoute({
    method,
    path,
    scope,
    summary: path,
    answer: z.unknown(),
    ...(method === 'POST' ? { body: item } : {}),
    status: method === 'POST' ? 201 : 200,
    handle: async ({ principal, body }) => {
      handled++;
      return { by: principal.id, body };
    },
  });

const routes = [
  route('GET', '/v1/items', 'prompts:read'),
  route('POST', '/v1/items', 'prompts:write'),
  route('GET', '/v1/reports', 'reports:read'),
  defineRoute({
    method: 'GET',
    path: '/v1/items/:id',
    scope: 'authenticated',
    summary: 'one',
    answer: z.unknown(),
    params: z.strictObject({ id: z.string().regex(/^itm_\w+$/) }),
    query: z.strictObject({ verbose: z.enum(['yes', 'no']).optional() }),
    status: 200,
    handle: async ({ params, query }) => ({ params, query }),
  }),
  defineRoute({
    method: 'GET',
    path: '/public',
    scope: 'public',
    summary: 'public',
    answer: z.unknown(),
    status: 200,
    cacheSeconds: 60,
    handle: async ({ principal }) => ({ principal: principal ?? null }),
  }),
];

let handled = 0;
let limited: AppError | undefined;
let metered: { principal: string | undefined; status: number; limited: string }[] = [];
let app: TestApp;

beforeAll(async () => {
  app = await startApp(() =>
    createApiRoutes(routes, {
      resolve,
      limits: {
        ...NO_LIMITS,
        count: async (ctx) => {
          ctx.set('X-RateLimit-Limit', '60');
          if (limited) throw limited;
        },
      },
      meter: ({ principal, status, limited: said }) =>
        metered.push({ principal: principal?.id, status, limited: said }),
    }),
  );
});
afterAll(() => app.close());
beforeEach(() => {
  handled = 0;
  limited = undefined;
  metered = [];
});

const GOOD = { authorization: 'Bearer good' };

async function call(path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
  const answer = await fetch(app.url + path, init);
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    json: (text ? JSON.parse(text) : undefined) as Record<string, unknown>,
  };
}

const post = (body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}) =>
  call('/v1/items', {
    method: 'POST',
    body,
    headers: { ...GOOD, 'content-type': 'application/json', ...headers },
  });

const raw = (lines: string, body = '') => sendRaw(app.port, `${lines}\nHost: 127.0.0.1:${app.port}`, body);

describe('order', () => {
  test('a good call meets every step once', async () => {
    const { status, json, headers } = await post('{"name":"x"}');
    expect(status).toBe(201);
    expect(json).toEqual({ by: 'key_1', body: { name: 'x' } });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(metered).toEqual([{ principal: 'key_1', status: 201, limited: 'allowed' }]);
  });

  test('401 comes before 403, 403 before 429, 429 before 415 and 422', async () => {
    limited = new AppError('rate_limited', 'Wait.', { retryAfterSeconds: 1 });
    expect((await call('/v1/reports')).status).toBe(401);
    expect((await call('/v1/reports', { headers: GOOD })).status).toBe(403);
    expect((await post('not json', { 'content-type': 'text/plain' })).status).toBe(429);
    limited = undefined;
    expect((await post('not json', { 'content-type': 'text/plain' })).status).toBe(415);
    expect(handled).toBe(0);
    expect(metered.map(({ status, limited: said }) => [status, said])).toEqual([
      [401, 'not_reached'],
      [403, 'not_reached'],
      [429, 'refused'],
      [415, 'allowed'],
    ]);
  });

  test('a refused call keeps the headers that the limit set', async () => {
    expect((await post('{}')).headers.get('x-ratelimit-limit')).toBe('60');
  });

  test('403 names the scope that is missing', async () => {
    const { json, headers } = await call('/v1/reports', { headers: GOOD });
    expect(json).toMatchObject({ code: 'insufficient_scope', requiredScopes: ['reports:read'] });
    expect(headers.get('www-authenticate')).toContain('scope="reports:read"');
  });

  test('a public route asks for nothing and may be kept', async () => {
    const { status, json, headers } = await call('/public');
    expect([status, json]).toEqual([200, { principal: null }]);
    expect(headers.get('cache-control')).toBe('public, max-age=60');
  });

  test('the access log says who it was', async () => {
    await post('{"name":"x"}');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(app.lines().findLast((line) => line['message'] === 'request')).toMatchObject({
      principal: 'key_1',
      status: 201,
    });
  });
});

describe('the credential', () => {
  test('RFC 6750 §3.1: none is 401 missing_credential, without an error code', async () => {
    const { status, json, headers } = await call('/v1/items');
    expect([status, json['code']]).toEqual([401, 'missing_credential']);
    expect(headers.get('www-authenticate')).not.toContain('error=');
  });

  test.each(['Basic Z29vZDo=', 'good', 'Bearer', 'Token good', 'DPoP'])(
    '%j is 401 missing_credential',
    async (authorization) => {
      expect((await call('/v1/items', { headers: { authorization } })).json['code']).toBe(
        'missing_credential',
      );
    },
  );

  test('RFC 9110 §11.1: the scheme has no case', async () => {
    expect((await call('/v1/items', { headers: { authorization: 'bearer good' } })).status).toBe(200);
  });

  test('an unknown one is 401 invalid_credential', async () => {
    const { json, headers } = await call('/v1/items', { headers: { authorization: 'Bearer other' } });
    expect(json['code']).toBe('invalid_credential');
    expect(headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test.each([
    'Authorization: Bearer good\nAuthorization: Bearer good',
    'Authorization: Bearer good\nAuthorization: Bearer other',
    'authorization: Bearer good\nAUTHORIZATION: Basic eDp5',
    'Authorization: Bearer good, Bearer other',
    'Authorization: Bearer good other',
  ])('several are 400, whichever Node would keep: %j', async (headers) => {
    const answer = await raw(`GET /v1/items HTTP/1.1\n${headers}`);
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'multiple_credentials']);
  });

  test.each([
    'access_token=x',
    'api_key=x',
    'API_KEY=x',
    'token=x',
    `q=pr_live_${'a'.repeat(36)}`,
    `pr_test_${'a'.repeat(36)}`,
    `q=rt_${'a'.repeat(36)}`,
    'limit=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln',
  ])('RFC 6750 §5.3: in the query it is 400 (%s), and 400 with another in the header', async (query) => {
    expect((await call(`/v1/items?${query}`)).json).toMatchObject({ status: 400, code: 'credential_in_url' });
    const both = await call(`/v1/items?${query}`, { headers: GOOD });
    expect(both.json).toMatchObject({ status: 400, code: 'multiple_credentials' });
    expect(handled).toBe(0);
    expect(app.log()).not.toMatch(/a{36}|eyJ/);
  });

  test('in a form or JSON body it is 400, alone or with another in the header', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const json = { 'content-type': 'application/json' };
    const send = (body: string, headers: Record<string, string>) =>
      call('/v1/items', { method: 'POST', body, headers });
    expect((await send('access_token=good', form)).json).toMatchObject({
      status: 400,
      code: 'credential_in_url',
    });
    expect((await send('{"api_key":"good"}', json)).json).toMatchObject({
      status: 400,
      code: 'credential_in_url',
    });
    expect((await send('access_token=good', { ...GOOD, ...form })).json['code']).toBe('multiple_credentials');
    expect((await send('{"name":"x","access_token":"good"}', { ...GOOD, ...json })).json['code']).toBe(
      'multiple_credentials',
    );
    expect((await send('{"name":"x"}', json)).json['code']).toBe('missing_credential');
  });

  test('a text that talks about keys is no credential', async () => {
    expect((await post(JSON.stringify({ name: `use pr_live_${'a'.repeat(36)}` }))).status).toBe(201);
  });
});

describe('paths and methods', () => {
  test('405 names the methods that there are', async () => {
    const { status, json, headers } = await call('/v1/items', { method: 'DELETE', headers: GOOD });
    expect([status, json['code']]).toEqual([405, 'method_not_allowed']);
    expect(headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS');
  });

  test.each([
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v1/items/',
    '/V1/items',
    '/v1/Items',
    '/v1/items/itm_1/more',
    '/v1//items',
    '/v1/../public',
  ])('%s is 404, with and without a credential', async (path) => {
    for (const headers of ['', 'Authorization: Bearer good']) {
      expect((await raw(`GET ${path} HTTP/1.1\n${headers}`)).status).toBe(404);
    }
  });

  test('a path parameter that can name nothing is 404', async () => {
    expect((await call('/v1/items/itm_1', { headers: GOOD })).json).toEqual({
      params: { id: 'itm_1' },
      query: {},
    });
    for (const id of ['x', 'itm_%2f', 'itm_..', "itm_'"]) {
      expect((await call(`/v1/items/${id}`, { headers: GOOD })).status).toBe(404);
    }
  });

  test('HEAD is GET without its body', async () => {
    const answer = await fetch(`${app.url}/v1/items`, { method: 'HEAD', headers: GOOD });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(0);
  });

  test('OPTIONS needs no credential and says what there is', async () => {
    const answer = await call('/v1/items', { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS']);
  });

  test('TRACE is 405', async () => {
    expect((await raw('TRACE /v1/items HTTP/1.1')).status).toBe(405);
  });
});

describe('CORS', () => {
  test("a website's script may call: the preflight allows the header that carries the credential", async () => {
    const { status, headers } = await call('/v1/items', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://spa.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-headers')?.toLowerCase()).toBe(
      'authorization, content-type, dpop, mcp-protocol-version',
    );
    expect(headers.get('access-control-allow-methods')).toContain('POST');
    expect(headers.has('access-control-allow-credentials')).toBe(false);
  });

  test('it may read answers and errors, and the headers that help', async () => {
    for (const { headers } of [await call('/v1/items', { headers: GOOD }), await call('/v1/items')]) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-expose-headers')).toMatch(
        /X-Request-Id.*X-RateLimit-Remaining.*Retry-After.*WWW-Authenticate/,
      );
    }
  });
});

describe('bodies', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    '',
  ])('of type %j are 415', async (type) => {
    const answer = await post(Buffer.from('{"name":"x"}'), { 'content-type': type });
    expect(answer.json).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'of type %j are read',
    async (type) => {
      expect((await post('{"name":"x"}', { 'content-type': type })).status).toBe(201);
    },
  );

  test('that are compressed are 415', async () => {
    expect((await post('{"name":"x"}', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  test.each([
    ['nothing', ''],
    ['half', '{"name":'],
    ['single quotes', "{'name':'x'}"],
    ['a raw NUL', '{"name":"\0"}'],
    ['a raw NUL between', '{"name":"x"}\0'],
    ['a trailing comma', '{"name":"x",}'],
    ['NaN', '{"name":NaN}'],
    ['two documents', '{} {}'],
  ])('that are not JSON (%s) are 400', async (_name, body) => {
    expect((await post(body)).json).toMatchObject({ status: 400, code: 'bad_request' });
  });

  test.each([[[0xff]], [[0xc3, 0x28]], [[0xed, 0xa0, 0x80]], [[0xc0, 0x80]]])(
    'that are not UTF-8 (%j) are 400',
    async (bytes) => {
      const body = Buffer.concat([Buffer.from('{"name":"'), Buffer.from(bytes), Buffer.from('"}')]);
      expect((await post(body)).json).toMatchObject({ status: 400, code: 'bad_request' });
    },
  );

  test.each([
    ['NUL', '{"name":"a\\u0000b"}', { path: 'name', message: 'holds a NUL character' }],
    [
      'NUL in a name',
      '{"a\\u0000":1}',
      { path: '', message: 'has a member whose name holds a NUL character' },
    ],
    ['half a surrogate pair', '{"name":"\\ud800"}', { path: 'name', message: 'holds half a surrogate pair' }],
    [
      'a nested one',
      '{"nested":{"a":"\\udc00"}}',
      { path: 'nested.a', message: 'holds half a surrogate pair' },
    ],
  ])('with a text that no database keeps (%s) are 422 with its path', async (_name, body, fault) => {
    expect((await post(body)).json).toMatchObject({ status: 422, errors: [fault] });
  });

  test.each([
    ['arrays', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['objects', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)],
    ['33 levels', '['.repeat(33) + '[]' + ']'.repeat(33)],
  ])('that are nested too deep (%s) are 400', async (_name, body) => {
    expect((await post(body)).json).toMatchObject({ status: 400, code: 'bad_request' });
  });

  test.each([
    '{"name":"x","__proto__":{"size":5}}',
    '{"name":"x","nested":{"__proto__":{"a":"x"}}}',
    '{"name":"x","labels":{"__proto__":"x"}}',
  ])('%s is 422 and reaches no prototype', async (body) => {
    expect((await post(body)).status).toBe(422);
    expect(({} as Record<string, unknown>)['size']).toBeUndefined();
  });

  test('constructor and prototype are names like others', async () => {
    expect((await post('{"name":"x","constructor":{"prototype":{"p":1}}}')).json).toMatchObject({
      errors: [{ path: 'constructor', message: 'is not known here' }],
    });
  });

  test('of members with one name the last counts', async () => {
    expect((await post('{"name":"a","name":"b"}')).json['body']).toEqual({ name: 'b' });
  });

  test('are taken up to 1,048,576 bytes, and 413 from the next', async () => {
    const body = (bytes: number) => `{"name":"${'x'.repeat(bytes - 11)}"}`;
    expect((await post(body(1_048_576))).status).toBe(201);
    expect((await post(body(1_048_577))).json).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  test('of 10 MB are 413, and the connection serves on', async () => {
    for (let i = 0; i < 5; i++) expect((await post('x'.repeat(10 * 1_048_576))).status).toBe(413);
    expect((await post('{"name":"x"}')).status).toBe(201);
  });

  test('of 10 MB without a Content-Length are 413', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    const chunked = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(160) + '0\r\n\r\n';
    const answer = await raw(
      'POST /v1/items HTTP/1.1\nAuthorization: Bearer good\nContent-Type: application/json\nTransfer-Encoding: chunked',
      chunked,
    );
    expect(answer.status).toBe(413);
  });

  test('that end before their Content-Length fail no other call and are no failure of ours', async () => {
    const { connect } = await import('node:net');
    const socket = connect(app.port, '127.0.0.1');
    socket.write(
      `POST /v1/items HTTP/1.1\r\nHost: 127.0.0.1:${app.port}\r\nAuthorization: Bearer good\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"na',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(app.lines().filter((line) => line['message'] === 'a request failed')).toEqual([]);
    expect((await post('{"name":"x"}')).status).toBe(201);
  });
});

describe('validation', () => {
  test('422 has every fault with its path, and never the value', async () => {
    const { json } = await post('{"size":1.5,"nested":{"a":1,"b":2},"extra":"canary"}');
    expect(json).toMatchObject({ status: 422, code: 'validation_failed' });
    const paths = (json['errors'] as { path: string }[]).map(({ path }) => path).sort();
    expect(paths).toEqual(['extra', 'name', 'nested.a', 'nested.b', 'size']);
    expect(JSON.stringify(json)).not.toContain('canary');
  });

  test.each(['[]', 'null', '"x"', '1'])('a body that is %s is 422', async (body) => {
    expect((await post(body)).json).toMatchObject({ status: 422, errors: [{ path: '' }] });
  });

  test('an unknown parameter, one that is sent twice, or an unknown value is 422', async () => {
    for (const query of ['x=1', 'verbose=yes&verbose=no', 'verbose=maybe', 'verbose=', '__proto__=1']) {
      expect((await call(`/v1/items/itm_1?${query}`, { headers: GOOD })).status).toBe(422);
    }
    expect((await call('/v1/items?x=1', { headers: GOOD })).json).toMatchObject({ errors: [{ path: 'x' }] });
    expect((await call('/v1/items/itm_1?verbose=yes', { headers: GOOD })).status).toBe(200);
  });
});
