import type { Context } from 'koa';
import type { Attempt, AttemptLimit } from '../kernel/attempts.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, type ErrorCode } from '../kernel/errors.ts';
import type { Decision } from '../limits/decision.ts';
import type { Limiter } from '../limits/limiter.ts';
import { WINDOW_SECONDS, type WindowName } from '../limits/policy.ts';
import { addHeader } from './answer.ts';
import type { CallLimits } from './route.ts';

/** Failed authentications of one address in a minute. */
export const FAILURES_PER_MINUTE = 60;

/** What counts as a failure: something was presented, and it proved nothing. */
const FAILURES = new Set<ErrorCode>(['invalid_credential', 'credential_expired', 'credential_revoked']);

export type RateLimitDeps = {
  limiter: Limiter;
  /** Of failed authentications, by network. */
  failures: AttemptLimit;
  failuresPerMinute: number;
  networkOf(ip: string): string;
  clock: Clock;
};

/**
 * The limits of /v1. A caller that was proved counts in its organization's buckets; a failed authentication by its
 * network. Beyond that limit only failures are refused: who presents a right credential is never locked out by a
 * neighbour, and 178 random bits can't be guessed anyway.
 */
export function createCallLimits({
  limiter,
  failures,
  failuresPerMinute,
  networkOf,
  clock,
}: RateLimitDeps): CallLimits {
  const toDecision = ({ allowed, remaining, resetSeconds, retryAfterSeconds }: Attempt): Decision => {
    const nowMs = clock().getTime();
    const resetAtMs = nowMs + resetSeconds * 1000;
    return {
      allowed,
      nowMs,
      shown: { window: 'minute', limit: failuresPerMinute, remaining, resetAtMs },
      retryAfterSeconds,
    };
  };

  return {
    count: async (ctx, caller) => {
      const decision = await limiter.take(caller);
      addHeaders(ctx, decision);
      if (!decision.allowed) throw rateLimited(decision);
    },
    show: async (ctx, caller) => addHeaders(ctx, await limiter.peek(caller)),
    refuse: async (ctx, error) => {
      const failed = error instanceof AppError && FAILURES.has(error.code);
      const network = networkOf(ctx.ip);
      const decision = toDecision(failed ? await failures.attempt(network) : await failures.look(network));
      addHeaders(ctx, decision);
      return failed && !decision.allowed ? tooManyFailures(decision) : error;
    },
    showUnproven: async (ctx) => addHeaders(ctx, toDecision(await failures.look(networkOf(ctx.ip)))),
  };
}

/** The customer's four headers, and the two of draft-ietf-httpapi-ratelimit-headers, on the same window. */
function addHeaders(ctx: Pick<Context, 'state'>, { shown, nowMs }: Decision): void {
  const { window, limit, remaining, resetAtMs } = shown;
  addHeader(ctx, 'X-RateLimit-Limit', String(limit));
  addHeader(ctx, 'X-RateLimit-Remaining', String(remaining));
  addHeader(ctx, 'X-RateLimit-Reset', String(Math.ceil(resetAtMs / 1000)));
  addHeader(ctx, 'X-RateLimit-Policy', `${limit}/${window}`);
  addHeader(ctx, 'RateLimit-Policy', `"${window}";q=${limit};w=${WINDOW_SECONDS[window]}`);
  addHeader(
    ctx,
    'RateLimit',
    `"${window}";r=${remaining};t=${Math.max(0, Math.ceil((resetAtMs - nowMs) / 1000))}`,
  );
}

const UNTIL: Record<WindowName, string> = {
  second: 'a second; spread the requests out',
  minute: 'a minute',
  day: 'a day (UTC)',
};

const rateLimited = ({ shown: { window, limit }, retryAfterSeconds }: Decision): AppError =>
  new AppError(
    'rate_limited',
    `The limit of ${limit} requests in ${UNTIL[window]} is used up. Wait ${retryAfterSeconds} s, then send the request again.`,
    { limit, window, retryAfterSeconds },
  );

const tooManyFailures = ({ shown: { window, limit }, retryAfterSeconds }: Decision): AppError =>
  new AppError(
    'rate_limited',
    `Too many failed authentications from this address: ${limit} in a minute. Check the credential, and wait ${retryAfterSeconds} s.`,
    { limit, window, retryAfterSeconds },
  );
