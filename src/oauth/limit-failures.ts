import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AttemptLimit } from '../kernel/attempts.ts';

/** Failed client authentications in a minute: of one address, and of one client from wherever. */
export const CLIENT_FAILURES_PER_MINUTE = 60;

type Deps = { byNetwork: AttemptLimit; byClient: AttemptLimit; networkOf(ip: string): string };

/**
 * Limits failed client authentication at the endpoints that programs call. Beyond the limit a failure is answered with
 * 429, and a right secret or assertion still passes: nobody locks a client out by failing in its name. RFC 6749 names no
 * error for it; the one here is RFC 6749 §4.1.2.1's for "try later".
 */
export function limitFailures({ byNetwork, byClient, networkOf }: Deps): Middleware {
  return async (ctx, next) => {
    await next();
    if ((ctx.body as { error?: unknown } | undefined)?.error !== 'invalid_client') return;
    const clientId = (ctx as unknown as Partial<KoaContextWithOIDC>).oidc?.client?.clientId;
    const attempts = await Promise.all([
      byNetwork.attempt(networkOf(ctx.ip)),
      ...(clientId ? [byClient.attempt(clientId)] : []),
    ]);
    const retryAfterSeconds = Math.max(...attempts.map((attempt) => attempt.retryAfterSeconds));
    if (retryAfterSeconds === 0) return;
    ctx.status = 429;
    ctx.set('Retry-After', String(retryAfterSeconds));
    ctx.set('Cache-Control', 'no-store');
    ctx.remove('WWW-Authenticate');
    ctx.body = {
      error: 'temporarily_unavailable',
      error_description: `too many failed client authentications; check the client's credentials, and try again in ${retryAfterSeconds} s`,
    };
  };
}
