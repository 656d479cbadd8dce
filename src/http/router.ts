import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { AppError, notFound } from '../kernel/errors.ts';
import { addHeader } from './answer.ts';
import { type Route, type RouteDeps, runRoute } from './route.ts';

const EXPOSED_HEADERS = [
  'X-Request-Id',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-RateLimit-Policy',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'DPoP-Nonce',
].join(', ');

/** All that a call needs; and what MCP clients send along with their discovery. `*` would not include Authorization. */
const ALLOWED_HEADERS = 'Authorization, Content-Type, DPoP, MCP-Protocol-Version';

/**
 * Serves the declared routes. A known path with another method is 405 with Allow; an unknown one below /v1 is 404; all
 * else goes on to `next`. Any website may call (CORS `*`): the credential is in a header that the site's own script
 * sets, and no cookie is ever read here.
 */
export function createApiRoutes(routes: readonly Route[], deps: RouteDeps): Middleware {
  const router = new Router({ sensitive: true, strict: true });
  /** Paths without parameters: found by their name, rather than by trying one pattern after the other. */
  const fixed = new Map<string, (ctx: Context) => Promise<void>>();
  for (const [path, ofPath] of Map.groupBy(routes, (route) => route.path)) {
    const byMethod = new Map<string, Route>(ofPath.map((route) => [route.method, route]));
    const get = byMethod.get('GET');
    if (get) byMethod.set('HEAD', get);
    const allow = [...byMethod.keys(), 'OPTIONS'];

    const serve = async (ctx: Context): Promise<void> => {
      openToWebsites(ctx);
      if (ctx.method === 'OPTIONS') return answerOptions(ctx, allow);
      const route = byMethod.get(ctx.method);
      if (!route) {
        await deps.limits.showUnproven(ctx);
        throw new AppError('method_not_allowed', `This path answers to ${allow.join(', ')}.`, { allow });
      }
      await runRoute(route, ctx, deps);
    };
    if (!path.includes(':')) fixed.set(path, serve);
    else if (path.startsWith('/v1/')) router.all(path, serve);
    else throw new Error(`${path}: a path with parameters has to be below /v1`);
  }

  const dispatch = router.routes() as unknown as Middleware;
  return (ctx, next) => {
    const serve = fixed.get(ctx.path);
    if (serve) return serve(ctx);
    // To try each pattern would cost a token request more than its own route does.
    if (ctx.path !== '/v1' && !ctx.path.startsWith('/v1/')) return next();
    return dispatch(ctx, async () => {
      openToWebsites(ctx);
      await deps.limits.showUnproven(ctx);
      throw notFound();
    });
  };
}

function openToWebsites(ctx: Context): void {
  addHeader(ctx, 'Access-Control-Allow-Origin', '*');
  addHeader(ctx, 'Access-Control-Expose-Headers', EXPOSED_HEADERS);
}

function answerOptions(ctx: Context, allow: readonly string[]): void {
  ctx.status = 204;
  ctx.set('Allow', allow.join(', '));
  if (!ctx.get('Access-Control-Request-Method')) return;
  ctx.set('Access-Control-Allow-Methods', allow.join(', '));
  ctx.set('Access-Control-Allow-Headers', ALLOWED_HEADERS);
  ctx.set('Access-Control-Max-Age', '7200'); // the most that Chromium keeps
}
