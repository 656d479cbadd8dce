import { describe, expect, test } from '@jest/globals';
import { AppError, ERRORS, type ErrorCode, notFound } from '../../src/kernel/errors.ts';

/** The contract's table of statuses and codes, written out a second time: programs switch over these. */
const CONTRACT: Record<number, string[]> = {
  400: ['bad_request', 'credential_in_url', 'multiple_credentials'],
  401: ['missing_credential', 'invalid_credential', 'credential_expired', 'credential_revoked'],
  403: ['insufficient_scope', 'ip_not_allowed', 'https_required', 'forbidden'],
  404: ['not_found'],
  405: ['method_not_allowed'],
  409: ['conflict'],
  413: ['payload_too_large'],
  415: ['unsupported_media_type'],
  422: ['validation_failed'],
  429: ['rate_limited'],
  500: ['internal_error'],
  503: ['unavailable'],
};

describe('the table of errors', () => {
  test("holds the contract's codes with their statuses, and no others", () => {
    const expected = Object.entries(CONTRACT).flatMap(([status, codes]) =>
      codes.map((code) => [code, Number(status)]),
    );
    const actual = Object.entries(ERRORS).map(([code, { status }]) => [code, status]);
    expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
  });

  test('gives each its own title', () => {
    const titles = Object.values(ERRORS).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

describe('an AppError', () => {
  test.each(Object.keys(ERRORS) as ErrorCode[])('%s has the status of the table', (code) => {
    expect(new AppError(code, 'why').status).toBe(ERRORS[code].status);
  });

  test("keeps the caller's words, the operator's cause and the extras apart", () => {
    const cause = new Error('connection refused by 10.0.0.5');
    const error = new AppError('unavailable', 'Try again soon.', { retryAfterSeconds: 2 }, { cause });
    expect(error).toMatchObject({
      code: 'unavailable',
      detail: 'Try again soon.',
      extras: { retryAfterSeconds: 2 },
    });
    expect(error.cause).toBe(cause);
    expect(error.message).not.toContain('10.0.0.5');
  });

  test('of a resource that may not be seen is the same as of one that does not exist', () => {
    expect(notFound()).toMatchObject({ code: 'not_found', status: 404, extras: {} });
  });
});
