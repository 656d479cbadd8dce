import type { Middleware } from 'koa';

/**
 * /livez: the process answers. /readyz: it can also serve, which takes the database. Public, on any host name,
 * for probes name the machine and not the origin. They say no more than that.
 */
export function healthRoutes(deps: { ping(): Promise<void> }): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    if (ctx.path === '/livez') {
      ctx.set('Cache-Control', 'no-store');
      ctx.body = { status: 'ok' };
    } else if (ctx.path === '/readyz') {
      ctx.set('Cache-Control', 'no-store');
      try {
        await deps.ping();
        ctx.body = { status: 'ok' };
      } catch {
        ctx.status = 503;
        ctx.set('Retry-After', '2');
        ctx.body = { status: 'unavailable', database: 'unavailable' };
      }
    } else {
      await next();
    }
  };
}
