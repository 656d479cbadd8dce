import type { Answer, Claimed, Outcome } from './delivery.ts';
import { parseRetryAfter, waitBeforeRetry } from './retry.ts';

/** An answer that takes longer sends the webhook to the slow lane. */
export const PROMPT_WITHIN_MS = 5_000;

/** With no success for so long, a delivery that is given up disables the webhook. */
const DISABLE_AFTER_SECONDS = 5 * 86_400;

/**
 * What an answer means: 2xx is success, 410 is never to be asked again, everything else (redirects too, which are
 * not followed) is tried again until the day is over. Pure.
 */
export function outcomeOf(
  answer: Answer,
  delivery: Pick<Claimed, 'attemptCount' | 'ageSeconds' | 'failingForSeconds'>,
  { now, random }: { now: Date; random: number },
): Outcome {
  if ('status' in answer && answer.status >= 200 && answer.status < 300) {
    const slow = answer.durationMs > PROMPT_WITHIN_MS;
    return { succeeded: true, retryInSeconds: undefined, slow, disable: undefined };
  }
  if ('status' in answer && answer.status === 410) {
    return { succeeded: false, retryInSeconds: undefined, slow: true, disable: 'gone' };
  }
  const retryInSeconds = waitBeforeRetry({
    failures: delivery.attemptCount + 1,
    ageSeconds: delivery.ageSeconds,
    retryAfterSeconds: 'status' in answer ? parseRetryAfter(answer.retryAfter, now) : undefined,
    random,
  });
  const hopeless = retryInSeconds === undefined && delivery.failingForSeconds >= DISABLE_AFTER_SECONDS;
  return { succeeded: false, retryInSeconds, slow: true, disable: hopeless ? 'failing' : undefined };
}
