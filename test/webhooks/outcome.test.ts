import { describe, expect, test } from '@jest/globals';
import { outcomeOf } from '../../src/webhooks/outcome.ts';

const fresh = { attemptCount: 0, ageSeconds: 1, failingForSeconds: 0 };
const at = { now: new Date('2026-01-15T10:30:00Z'), random: 0.5 };
const answered = (status: number, more: object = {}) => ({
  status,
  body: '',
  retryAfter: undefined,
  durationMs: 20,
  ...more,
});

describe('What an answer means', () => {
  test.each([200, 201, 202, 204, 299])('%i is success', (status) => {
    expect(outcomeOf(answered(status), fresh, at)).toEqual({
      succeeded: true,
      retryInSeconds: undefined,
      pauseSeconds: undefined,
      slow: false,
      disable: undefined,
    });
  });

  test.each([100, 301, 302, 307, 400, 401, 404, 429, 500, 503])('%i is tried again', (status) => {
    expect(outcomeOf(answered(status), fresh, at)).toEqual({
      succeeded: false,
      retryInSeconds: 5,
      pauseSeconds: undefined,
      slow: true,
      disable: undefined,
    });
  });

  test('no answer is tried again', () => {
    const outcome = outcomeOf({ error: 'The server could not be reached.', durationMs: 3 }, fresh, at);
    expect(outcome).toMatchObject({ succeeded: false, retryInSeconds: 5 });
  });

  test('410 ends it, and disables the webhook', () => {
    expect(outcomeOf(answered(410), fresh, at)).toEqual({
      succeeded: false,
      retryInSeconds: undefined,
      pauseSeconds: undefined,
      slow: true,
      disable: 'gone',
    });
  });

  test('a success that took long sends the next to the slow lane', () => {
    expect(outcomeOf(answered(200, { durationMs: 5_001 }), fresh, at).slow).toBe(true);
    expect(outcomeOf(answered(200, { durationMs: 5_000 }), fresh, at).slow).toBe(false);
  });

  test('Retry-After is heard', () => {
    expect(outcomeOf(answered(429, { retryAfter: '90' }), fresh, at).retryInSeconds).toBe(90);
    expect(
      outcomeOf(answered(503, { retryAfter: 'Thu, 15 Jan 2026 10:32:00 GMT' }), fresh, at).retryInSeconds,
    ).toBe(120);
  });

  test.each([
    [429, 90],
    [503, 90],
    [500, undefined],
    [302, undefined],
  ])('%i with Retry-After: the webhook’s other deliveries wait for %s s, too', (status, pauseSeconds) => {
    expect(outcomeOf(answered(status, { retryAfter: '90' }), fresh, at)).toMatchObject({
      retryInSeconds: 90,
      pauseSeconds,
    });
  });

  test('at the end of the day it is given up; after five days without a success the webhook is disabled', () => {
    const late = { ...fresh, attemptCount: 13, ageSeconds: 86_400 };
    expect(outcomeOf(answered(500), late, at)).toMatchObject({
      retryInSeconds: undefined,
      disable: undefined,
    });
    const hopeless = { ...late, failingForSeconds: 5 * 86_400 };
    expect(outcomeOf(answered(500), hopeless, at)).toMatchObject({
      retryInSeconds: undefined,
      disable: 'failing',
    });
    expect(outcomeOf(answered(200), hopeless, at).disable).toBeUndefined();
    expect(outcomeOf(answered(500), { ...hopeless, ageSeconds: 10 }, at).disable).toBeUndefined();
  });
});
