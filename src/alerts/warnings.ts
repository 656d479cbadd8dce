import type { Method } from '../../config/methods.ts';
import type { Finding } from './alert.ts';

const DAY_MS = 86_400_000;

/** Days left at which the owner of an API key is warned, the fewest first. */
const STAGES = [1, 7, 30] as const;

export type ExpiringKey = { id: string; createdAt: Date; expiresAt: Date };

/**
 * A key that has at most 30, 7 or 1 days left. Silent about a stage that the key began in: whoever makes a key for a week
 * knows that it ends within the month. Told once a stage, and anew when the expiry was changed. Pure.
 */
export function expiring({ id, createdAt, expiresAt }: ExpiringKey, now: Date): Finding | undefined {
  const leftMs = expiresAt.getTime() - now.getTime();
  if (leftMs <= 0) return undefined;
  const daysLeft = STAGES.find((days) => leftMs <= days * DAY_MS);
  if (daysLeft === undefined) return undefined;
  if (createdAt.getTime() > expiresAt.getTime() - daysLeft * DAY_MS) return undefined;
  return {
    kind: 'expiring',
    subject: id,
    period: `${expiresAt.toISOString()}/${daysLeft}`,
    data: { expiresAt: expiresAt.toISOString(), daysLeft },
  };
}

const PERCENTS = [100, 80] as const;

export type DayOfBucket = { method: Method; used: number; limit: number };

/** A bucket that has used 80 % or all of a UTC day, which is any instant of it; of both, the more. Told once a day each. Pure. */
export function limitWarning({ method, used, limit }: DayOfBucket, utcDay: Date): Finding | undefined {
  const percent = PERCENTS.find((one) => used * 100 >= limit * one);
  if (percent === undefined) return undefined;
  const day = utcDay.toISOString().slice(0, 10);
  return {
    kind: 'limit',
    subject: method,
    period: `${day}/${percent}`,
    data: { method, percent, day, limit, used },
  };
}
