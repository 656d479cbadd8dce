import type { Answer, Claimed, Outcome } from './delivery.ts';
import { parseRetryAfter, waitBeforeRetry } from './retry.ts';

/** An answer that takes longer sends the webhook to the slow lane. */
const PROMPT_WITHIN_MS = 5_000;

/** With no success for so long, a delivery that is given up disables the webhook. */
const DISABLE_AFTER_SECONDS = 5 * 86_400;

/** Too Many Requests, and Service Unavailable: what the receiver says of when to come again holds for every delivery. */
const ABOUT_ALL = [429, 503];

/**
 * What an answer means: 2xx is success, 410 is never to be asked again, everything else (redirects too, which are
 * not followed) is tried again until the day is over. Pure.
 */
export function outcomeOf(
  answer: Answer,
  delivery: Pick<Claimed, 'attemptCount' | 'ageSeconds' | 'failingForSeconds'>,
  { now, random }: { now: Date; random: number },
): Outcome {
  const none = { retryInSeconds: undefined, pauseSeconds: undefined, disable: undefined };
  const status = 'status' in answer ? answer.status : undefined;
  if (status !== undefined && status >= 200 && status < 300) {
    return { ...none, succeeded: true, slow: answer.durationMs > PROMPT_WITHIN_MS };
  }
  if (status === 410) return { ...none, succeeded: false, slow: true, disable: 'gone' };

  const askedSeconds = 'status' in answer ? parseRetryAfter(answer.retryAfter, now) : undefined;
  const retryInSeconds = waitBeforeRetry({
    failures: delivery.attemptCount + 1,
    ageSeconds: delivery.ageSeconds,
    askedSeconds,
    random,
  });
  const hopeless = retryInSeconds === undefined && delivery.failingForSeconds >= DISABLE_AFTER_SECONDS;
  return {
    succeeded: false,
    retryInSeconds,
    pauseSeconds: status !== undefined && ABOUT_ALL.includes(status) ? askedSeconds : undefined,
    slow: true,
    disable: hopeless ? 'failing' : undefined,
  };
}
