import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../config/signing-algorithms.ts';
import { ACCESS_TOKEN_SECONDS } from './lifetimes.ts';
import type { SigningKeyFacts } from './signing-key.ts';

export type KeySchedule = {
  /** How long validators may keep the JWKS: its max-age. */
  jwksCacheSeconds: number;
  /** After how long another key takes over; 0: only when asked to. */
  rotateAfterSeconds: number;
};

export type KeyStep =
  /** A new key that signs at once: there is none that could. */
  | { kind: 'start'; algorithm: SigningAlgorithm }
  | { kind: 'publish'; algorithm: SigningAlgorithm }
  | { kind: 'activate'; kid: string; retires: string | undefined }
  | { kind: 'forget'; kid: string };

/** Other processes may sign with it until they are told, and their clocks differ. */
const RETIRED_SECONDS = ACCESS_TOKEN_SECONDS + 600;

/**
 * From when a next key may sign: twice the time that the JWKS may be kept, so that a process that missed the news, and a cache
 * on the way to a validator, have expired too. No validator then meets a key that it doesn't know.
 */
export const maySignAt = (
  key: Pick<SigningKeyFacts, 'publishedAt'>,
  { jwksCacheSeconds }: KeySchedule,
): Date => new Date(key.publishedAt.getTime() + 2 * jwksCacheSeconds * 1000);

/** What is to be done now, if anything; to be asked again when that is done. Pure. */
export function nextKeySteps(keys: readonly SigningKeyFacts[], now: Date, schedule: KeySchedule): KeyStep[] {
  const steps: KeyStep[] = SIGNING_ALGORITHMS.flatMap((algorithm) => {
    const of = (status: SigningKeyFacts['status']) =>
      keys.find((key) => key.algorithm === algorithm && key.status === status);
    return stepsOf(algorithm, of('current'), of('next'), now, schedule);
  });
  for (const { status, retiredAt, kid } of keys) {
    const retired = status === 'retired' && retiredAt && ageSeconds(retiredAt, now) >= RETIRED_SECONDS;
    if (retired) steps.push({ kind: 'forget', kid });
  }
  return steps;
}

function stepsOf(
  algorithm: SigningAlgorithm,
  current: SigningKeyFacts | undefined,
  next: SigningKeyFacts | undefined,
  now: Date,
  schedule: KeySchedule,
): KeyStep[] {
  // The current one was dropped: the next one may not be known everywhere yet, but nothing else can sign.
  if (!current) {
    return next ? [{ kind: 'activate', kid: next.kid, retires: undefined }] : [{ kind: 'start', algorithm }];
  }
  if (!next) return [{ kind: 'publish', algorithm }];
  const due = current.rotationRequestedAt !== undefined || isOld(current, now, schedule);
  return due && now >= maySignAt(next, schedule)
    ? [{ kind: 'activate', kid: next.kid, retires: current.kid }]
    : [];
}

const isOld = (
  { activatedAt, publishedAt }: SigningKeyFacts,
  now: Date,
  { rotateAfterSeconds }: KeySchedule,
): boolean => rotateAfterSeconds > 0 && ageSeconds(activatedAt ?? publishedAt, now) >= rotateAfterSeconds;

const ageSeconds = (since: Date, now: Date): number => (now.getTime() - since.getTime()) / 1000;
