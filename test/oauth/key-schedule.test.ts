import { describe, expect, test } from '@jest/globals';
import { SIGNING_ALGORITHMS } from '../../config/signing-algorithms.ts';
import { nextKeySteps } from '../../src/oauth/key-schedule.ts';
import type { SigningKeyFacts } from '../../src/oauth/signing-key.ts';

const NOW = new Date('2026-01-15T10:30:00Z');
const DAY = 86_400;
const SCHEDULE = { jwksCacheSeconds: 900, rotateAfterSeconds: 90 * DAY };
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);

const key = (kid: string, fields: Partial<SigningKeyFacts>): SigningKeyFacts => ({
  kid,
  algorithm: 'RS256',
  status: 'current',
  publishedAt: ago(10 * DAY),
  activatedAt: undefined,
  rotationRequestedAt: undefined,
  retiredAt: undefined,
  ...fields,
});

/** The other algorithms, at rest, so that a test can look at one. */
const others = SIGNING_ALGORITHMS.filter((algorithm) => algorithm !== 'RS256').flatMap((algorithm) => [
  key(`${algorithm} current`, { algorithm, activatedAt: ago(DAY) }),
  key(`${algorithm} next`, { algorithm, status: 'next' }),
]);
const steps = (...keys: SigningKeyFacts[]) => nextKeySteps([...others, ...keys], NOW, SCHEDULE);

describe('What is due with the signing keys', () => {
  const young = key('a', { activatedAt: ago(DAY) });
  const old = key('a', { activatedAt: ago(90 * DAY) });
  const next = key('b', { status: 'next' });

  test('on an empty database each algorithm gets a key that signs at once, then one that is published', () => {
    expect(nextKeySteps([], NOW, SCHEDULE)).toEqual(
      SIGNING_ALGORITHMS.map((algorithm) => ({ kind: 'start', algorithm })),
    );
    expect(steps(young)).toEqual([{ kind: 'publish', algorithm: 'RS256' }]);
    expect(steps(young, next)).toEqual([]);
  });

  test('a key that has signed for 90 days gives way, and not a second earlier', () => {
    expect(steps(old, next)).toEqual([{ kind: 'activate', kid: 'b', retires: 'a' }]);
    expect(steps(key('a', { activatedAt: ago(90 * DAY - 1) }), next)).toEqual([]);
    expect(nextKeySteps([...others, old, next], NOW, { ...SCHEDULE, rotateAfterSeconds: 0 })).toEqual([]);
  });

  test('so does one that the operator asked to be replaced', () => {
    expect(steps({ ...young, rotationRequestedAt: ago(1) }, next)).toEqual([
      { kind: 'activate', kid: 'b', retires: 'a' },
    ]);
  });

  test('but only to a key that has been published for twice as long as the JWKS may be kept', () => {
    expect(steps(old, { ...next, publishedAt: ago(1799) })).toEqual([]);
    expect(steps(old, { ...next, publishedAt: ago(1800) })).toHaveLength(1);
  });

  test('where nothing signs, the next key does at once', () => {
    expect(steps({ ...next, publishedAt: ago(1) })).toEqual([
      { kind: 'activate', kid: 'b', retires: undefined },
    ]);
  });

  test('a retired key stays published until all that it signed has expired', () => {
    const retired = (seconds: number) => key('r', { status: 'retired', retiredAt: ago(seconds) });
    expect(steps(young, next, retired(3600))).toEqual([]);
    expect(steps(young, next, retired(3600 + 600))).toEqual([{ kind: 'forget', kid: 'r' }]);
  });
});
