import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { SafeFetch } from '../kernel/safe-fetch.ts';
import { SafeFetchError } from '../kernel/safe-fetch.ts';
import type { Answer, Attempt, Claimed } from './delivery.ts';
import { signatureHeaders } from './signing.ts';

/** For everything: name, connection and the whole answer. */
const TIMEOUT_MS = 30_000;
/** Of an answer's body: enough to see what is wrong. */
const KEPT_BYTES = 1_000;

export type Sent = { answer: Answer; attempt: Attempt };

/**
 * Makes one attempt: signs the event anew, posts it where `SafeFetch` lets it go, and says what came back. Never
 * rejects: a receiver that can't be reached, or a secret that can't be opened, is an answer too.
 */
export function createSend({
  safeFetch,
  clock,
  logger,
}: {
  safeFetch: SafeFetch;
  clock: Clock;
  logger: Logger;
}) {
  return async ({ webhook, event, openSecrets }: Claimed, signal: AbortSignal): Promise<Sent> => {
    const at = clock();
    const startedMs = performance.now();
    const timestamp = epochSeconds(at);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'PromptReports-Webhooks/1.0',
      'webhook-id': event.id,
      'webhook-timestamp': String(timestamp),
    };
    const answer = await ask(async () => {
      const signed = signatureHeaders(openSecrets(), { id: event.id, timestamp, body: event.body });
      return safeFetch(webhook.url, {
        method: 'POST',
        headers: { ...headers, ...signed },
        body: event.body,
        timeoutMs: TIMEOUT_MS,
        maxBytes: KEPT_BYTES,
        longBody: 'cut',
        signal,
      });
    }).catch((error: unknown) => {
      // Ours to mend and not the receiver's: another SECRET_KEY, most likely.
      logger.error({ err: error, webhookId: webhook.id }, 'an event could not be signed');
      return { error: 'The event could not be signed.' };
    });
    const durationMs = Math.round(performance.now() - startedMs);
    return {
      answer: { ...answer, durationMs },
      attempt: {
        at: at.toISOString(),
        url: webhook.url,
        headers,
        durationMs,
        status: 'status' in answer ? answer.status : null,
        body: 'status' in answer ? answer.body : null,
        error: 'error' in answer ? answer.error : null,
      },
    };
  };
}

async function ask(
  fetching: () => ReturnType<SafeFetch>,
): Promise<{ status: number; body: string; retryAfter: string | undefined } | { error: string }> {
  try {
    const { status, headers, body } = await fetching();
    return { status, body: readable(body), retryAfter: headers['retry-after'] };
  } catch (error) {
    if (!(error instanceof SafeFetchError)) throw error;
    return { error: error.message };
  }
}

/** Text that the database can keep, whatever was sent. */
const readable = (body: Buffer): string => body.toString('utf8').replaceAll('\0', '\uFFFD');
