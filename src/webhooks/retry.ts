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
 * `failures`: attempts so far, at least 1. `ageSeconds`: since it was queued. `askedSeconds`: what the receiver
 * asked for. `random`: 0 to 1. The wait that would pass the end is cut to it: the last attempt is at the 24th hour.
 */
export function waitBeforeRetry({
  failures,
  ageSeconds,
  askedSeconds = 0,
  random,
}: {
  failures: number;
  ageSeconds: number;
  askedSeconds?: number | undefined;
  random: number;
}): number | undefined {
  const left = RETRY_FOR_SECONDS - ageSeconds;
  if (left < LAST_WAIT_SECONDS) return undefined;
  const base = WAITS[Math.min(failures, WAITS.length) - 1] ?? WAITS[0];
  const jittered = base + base * JITTER * (2 * random - 1);
  return Math.min(Math.max(jittered, askedSeconds), left);
}

/** The three forms of a date that RFC 9110 §5.6.7 has a reader know; all are GMT. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * Seconds that a Retry-After header asks for (RFC 9110 §10.2.3: a number, or a date), cut to the longest that is heard;
 * undefined when it says neither. Pure.
 */
export function parseRetryAfter(value: string | undefined, now: Date): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text), LONGEST_RETRY_AFTER_SECONDS);
  if (!HTTP_DATES.some((form) => form.test(text))) return undefined;
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  if (Number.isNaN(at)) return undefined;
  return Math.min(Math.max(0, Math.ceil((at - now.getTime()) / 1000)), LONGEST_RETRY_AFTER_SECONDS);
}
