import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isDatabaseUnavailable, loggable } from '../../src/kernel/database-failure.ts';
import { AppError, ERRORS, type ErrorCode } from '../../src/kernel/errors.ts';
import { sendRaw, startApp, type TestApp } from './support.ts';

const SECRET_DETAIL = 'insert into "users" values (canary-7f3a)';
let thrown: unknown;
let app: TestApp;

beforeAll(async () => {
  app = await startApp(() => (ctx) => {
    if (thrown === 'nothing') return;
    if (thrown === 'half') {
      ctx.res.write('{"half":');
      throw new Error(SECRET_DETAIL);
    }
    ctx.set('Location', '/leftover');
    ctx.set('ETag', '"leftover"');
    throw thrown;
  });
});
afterAll(() => app.close());

async function answerTo(error: unknown, path = '/v1/x', accept = '*/*') {
  thrown = error;
  const answer = await fetch(app.url + path, { headers: { accept } });
  return { answer, headers: answer.headers, text: await answer.text() };
}

describe('application/problem+json (RFC 9457)', () => {
  test.each(Object.entries(ERRORS))('%s has its status, title and page', async (code, { status, title }) => {
    const { answer, headers, text } = await answerTo(new AppError(code as ErrorCode, 'What to do.'));
    expect(answer.status).toBe(status);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(JSON.parse(text)).toEqual({
      type: `${app.url}/docs/errors/${code}`,
      title,
      status,
      detail: 'What to do.',
      code,
      requestId: headers.get('x-request-id'),
    });
  });

  test('carries what helps, and headers in place of what headers say', async () => {
    const limited = await answerTo(
      new AppError('rate_limited', 'Wait.', { limit: 60, window: 'minute', retryAfterSeconds: 7 }),
    );
    expect(limited.headers.get('retry-after')).toBe('7');
    expect(JSON.parse(limited.text)).toMatchObject({ limit: 60, window: 'minute' });
    expect(JSON.parse(limited.text)).not.toHaveProperty('retryAfterSeconds');

    const method = await answerTo(new AppError('method_not_allowed', 'No.', { allow: ['GET', 'HEAD'] }));
    expect(method.headers.get('allow')).toBe('GET, HEAD');
  });

  test('keeps no header that described the answer which failed', async () => {
    const { headers } = await answerTo(new AppError('conflict', 'x'));
    expect(headers.has('location') || headers.has('etag')).toBe(false);
  });

  test('a path that nobody answers is 404', async () => {
    const { answer, text } = await answerTo('nothing');
    expect(answer.status).toBe(404);
    expect(JSON.parse(text)).toMatchObject({ code: 'not_found' });
  });

  test('HEAD has the status and no body', async () => {
    thrown = new AppError('conflict', 'x');
    const answer = await fetch(`${app.url}/v1/x`, { method: 'HEAD' });
    expect(answer.status).toBe(409);
    expect(await answer.text()).toBe('');
  });
});

describe('pages', () => {
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

  test('a browser gets a page where pages are', async () => {
    const { headers, text } = await answerTo(new AppError('forbidden', 'x'), '/login', browser);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).toContain('forbidden');
    expect(headers.has('www-authenticate')).toBe(false);
  });

  test.each([
    ['/login', '*/*'],
    ['/login', 'application/json'],
    ['/v1/x', browser],
    ['/oauth/token', browser],
  ])('%s with Accept: %s gets JSON', async (path, accept) => {
    const { headers } = await answerTo(new AppError('forbidden', 'x'), path, accept);
    expect(headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('WWW-Authenticate (RFC 6750 §3, RFC 9728 §5.1)', () => {
  const challenge = async (error: AppError) => (await answerTo(error)).headers.get('www-authenticate');
  const metadata = () => `resource_metadata="${app.url}/.well-known/oauth-protected-resource"`;

  test('§3.1: says no error when nothing was presented', async () => {
    expect(await challenge(new AppError('missing_credential', 'x'))).toBe(
      `Bearer ${metadata()}, DPoP algs="ES256 Ed25519 EdDSA PS256"`,
    );
  });

  test.each(['invalid_credential', 'credential_expired', 'credential_revoked'] as const)(
    '%s is invalid_token',
    async (code) => {
      expect(await challenge(new AppError(code, 'Why.'))).toBe(
        `Bearer error="invalid_token", error_description="Why.", ${metadata()}`,
      );
    },
  );

  test('insufficient_scope names the scope that is needed', async () => {
    const error = new AppError('insufficient_scope', 'Why.', { requiredScopes: ['prompts:write'] });
    expect(await challenge(error)).toBe(
      `Bearer error="insufficient_scope", error_description="Why.", scope="prompts:write", ${metadata()}`,
    );
  });

  test.each(['credential_in_url', 'multiple_credentials'] as const)('%s is invalid_request', async (code) => {
    expect(await challenge(new AppError(code, 'x'))).toContain('error="invalid_request"');
  });

  test.each(['ip_not_allowed', 'https_required', 'forbidden'] as const)(
    '403 %s has a challenge without error',
    async (code) => {
      expect(await challenge(new AppError(code, 'x'))).toBe(`Bearer ${metadata()}`);
    },
  );

  test('a description cannot break out of its quotes', async () => {
    expect(await challenge(new AppError('invalid_credential', 'a"b\\c\r\nX: 1 é'))).toContain(
      `error_description="a'b?c??X: 1 ?"`,
    );
  });
});

describe('what was not meant for the outside', () => {
  test('becomes 500 without a word of itself, and is logged under the id of the request', async () => {
    const { answer, headers, text } = await answerTo(new TypeError(SECRET_DETAIL));
    expect(answer.status).toBe(500);
    expect(text).not.toMatch(/canary|TypeError| at /);
    const line = app.lines().findLast((entry) => entry['message'] === 'a request failed');
    expect(line).toMatchObject({ requestId: headers.get('x-request-id'), err: { type: 'TypeError' } });
  });

  test.each([
    ['a string', 'oops'],
    ['undefined', undefined],
    ['null', null],
  ])('%s that was thrown is 500', async (_name, value) => {
    expect((await answerTo(value)).answer.status).toBe(500);
  });

  test.each([
    [413, 'payload_too_large'],
    [415, 'unsupported_media_type'],
    [400, 'bad_request'],
    [418, 'bad_request'],
  ])("Koa's own %i is %s, without its message", async (status, code) => {
    const error = Object.assign(new Error('canary'), { status, statusCode: status, expose: true });
    const { text } = await answerTo(error);
    expect(JSON.parse(text)).toMatchObject({ code });
    expect(text).not.toContain('canary');
  });

  test('half an answer is cut off, not ended as if it were whole', async () => {
    thrown = 'half';
    const answer = await sendRaw(app.port, `GET /v1/x HTTP/1.1\nHost: 127.0.0.1:${app.port}`);
    expect(answer.body).not.toMatch(/0\r\n\r\n$/);
  });
});

describe('a database that cannot serve', () => {
  const withCode = (code: string, extra: object = {}) =>
    Object.assign(new Error(SECRET_DETAIL), { code, ...extra });

  test.each([
    ['connection refused', withCode('ECONNREFUSED', { syscall: 'connect' })],
    ['a reset connection', withCode('ECONNRESET', { syscall: 'read' })],
    ['no such host', withCode('ENOTFOUND', { syscall: 'getaddrinfo' })],
    ['08006 connection failure', withCode('08006')],
    ['53300 too many connections', withCode('53300')],
    ['53100 disk full', withCode('53100')],
    ['57014 statement timeout', withCode('57014')],
    ['57P01 admin shutdown', withCode('57P01')],
    ['57P03 cannot connect now', withCode('57P03')],
    ['25006 read-only', withCode('25006')],
    ['40P01 deadlock', withCode('40P01')],
    [
      'pool timeout',
      Object.assign(new Error('Knex: Timeout acquiring a connection.'), { name: 'KnexTimeoutError' }),
    ],
    ['query timeout', new Error('select 1 - Query read timeout')],
    ['a cut connection', new Error('Connection terminated unexpectedly')],
    ['a connection timeout', new Error('timeout expired')],
    ['a closed PGlite', new Error('PGlite is closed')],
    ['an aborted PGlite', Object.assign(new Error('unreachable'), { name: 'RuntimeError' })],
    ['refused on both families', new AggregateError([withCode('ECONNREFUSED', { syscall: 'connect' })])],
    ['what wraps one', new Error('outer', { cause: withCode('08006') })],
  ])('%s is 503 with Retry-After', async (_name, error) => {
    const { answer, headers, text } = await answerTo(error);
    expect(answer.status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(text).not.toContain('canary');
  });

  test.each([
    ['23505 unique violation', withCode('23505')],
    ['42P01 no such table', withCode('42P01')],
    ['22021 bad byte', withCode('22021')],
    ['a missing file', withCode('ENOENT', { syscall: 'open' })],
    ['a TypeError', new TypeError('x is not a function')],
  ])('%s is a fault of ours', (_name, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  test('the log has the code and no value of the statement', () => {
    const error = withCode('23505', {
      detail: 'Key (email)=(canary@x) exists',
      constraint: 'users_email_key',
    });
    expect(JSON.stringify(loggable(error))).not.toContain('canary');
    const timeout = new Error("insert into users values ('canary - x') - Query read timeout");
    expect(loggable(timeout)).toMatchObject({ message: 'Query read timeout' });
    expect(JSON.stringify(loggable(timeout))).not.toContain('canary');
    expect(loggable(error)).toMatchObject({ code: '23505', constraint: 'users_email_key' });
  });
});
