import type { Context, Middleware } from 'koa';

/** Where limits are counted: in this process, in Redis, or in this process at half because Redis doesn't answer. */
export type LimitsHealth = 'in_process' | 'shared' | 'degraded';

export type HealthDeps = {
  ping(): Promise<void>;
  limits(): LimitsHealth;
  /** Whether the process was told to stop: it serves on for a moment, and wants no more than it has. */
  isStopping(): boolean;
};

/**
 * /livez: the process answers. /readyz: it can also serve, which takes the database; without Redis it still serves, and
 * says so. Public, on any host name, for probes name the machine and not the origin. They say no more than that.
 */
export function healthRoutes(deps: HealthDeps): Middleware {
  const answers: Record<string, (ctx: Context) => Promise<void>> = {
    '/livez': async (ctx) => {
      ctx.body = { status: 'ok' };
    },
    '/readyz': async (ctx) => {
      if (deps.isStopping()) {
        ctx.status = 503;
        ctx.body = { status: 'stopping' };
        return;
      }
      try {
        await deps.ping();
        ctx.body = { status: 'ok', limits: deps.limits() };
      } catch {
        ctx.status = 503;
        ctx.set('Retry-After', '2');
        ctx.body = { status: 'unavailable', database: 'unavailable', limits: deps.limits() };
      }
    },
  };
  return (ctx, next) => {
    const answer = ctx.method === 'GET' || ctx.method === 'HEAD' ? answers[ctx.path] : undefined;
    if (!answer) return next();
    ctx.set('Cache-Control', 'no-store');
    return answer(ctx);
  };
}
