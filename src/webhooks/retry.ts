/** Deliveries are tried for this long from when they were queued. */
export const RETRY_FOR_SECONDS = 86_400;

/** Seconds to wait after the first failed attempt, the second, and so on; the last holds for all that follow. */
const WAITS = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400] as const;

/** Each wait is up to this much shorter or longer, so that what failed together doesn't come back together. */
const JITTER = 0.2;

/** A receiver may ask for a longer wait than ours, but not for one that uses up the day. */
const LONGEST_RETRY_AFTER_SECONDS = 14_400;

/** Less than this before the end, no further attempt is worth it. */
const LAST_WAIT_SECONDS = 60;

/**
 * Seconds until the next attempt; undefined to give up. Pure.
 *
 * `failures`: attempts so far, at least 1. `ageSeconds`: since it was queued. `retryAfterSeconds`: what the receiver
 * asked for. `random`: 0 to 1. The wait that would pass the end is cut to it: the last attempt is at the 24th hour.
 */
export function waitBeforeRetry({
  failures,
  ageSeconds,
  retryAfterSeconds = 0,
  random,
}: {
  failures: number;
  ageSeconds: number;
  retryAfterSeconds?: number | undefined;
  random: number;
}): number | undefined {
  const left = RETRY_FOR_SECONDS - ageSeconds;
  if (left < LAST_WAIT_SECONDS) return undefined;
  const base = WAITS[Math.min(failures, WAITS.length) - 1] ?? WAITS[0];
  const jittered = base + base * JITTER * (2 * random - 1);
  const asked = Math.min(retryAfterSeconds, LONGEST_RETRY_AFTER_SECONDS);
  return Math.min(Math.max(jittered, asked), left);
}

/** Seconds that a Retry-After header asks for (RFC 9110 §10.2.3: a number, or a date); undefined when it says neither. Pure. */
export function parseRetryAfter(value: string | undefined, now: Date): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}
