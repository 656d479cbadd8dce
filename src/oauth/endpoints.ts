import type { JWK } from 'jose';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { readFormText } from '../http/forms.ts';
import { seeOther } from '../http/page.ts';
import { allowFormTarget } from '../http/security-headers.ts';
import { AppError } from '../kernel/errors.ts';
import { DEVICE_PAGE } from './device-flow.ts';
import { placeEndpoints } from './place-endpoints.ts';
import type { PrepareClient } from './prepare-clients.ts';
import { screenAuthorizationRequest, screenBody } from './screen-request.ts';

const DISCOVERY = new Set(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']);

/** Endpoints that programs call: they take forms and answer JSON, whatever they say they accept. */
const MACHINE_ENDPOINTS = new Set([
  '/oauth/token',
  '/oauth/par',
  '/oauth/device_authorization',
  '/oauth/introspect',
  '/oauth/revoke',
]);

/** OpenID Connect Core §3.1.2.1 and RP-Initiated Logout §2: by GET and by POST. */
const POSTED_BY_BROWSERS = new Set(['/oauth/authorize', '/oauth/logout']);
const LONGEST_QUERY = 8_000;

const SERVER_ERROR = 'oauthServerError';

const isOurs = (path: string): boolean =>
  DISCOVERY.has(path) ||
  MACHINE_ENDPOINTS.has(path) ||
  path === '/.well-known/jwks.json' ||
  path === '/oauth/authorize' ||
  path.startsWith('/oauth/authorize/') ||
  path.startsWith('/oauth/logout') ||
  path === DEVICE_PAGE ||
  path.startsWith(`${DEVICE_PAGE}/`);

type Deps = {
  provider: Provider;
  webUrl: string;
  jwks: { publish(): { keys: JWK[] }; maxAgeSeconds: number };
  /** Around every endpoint that programs call. */
  limitFailures: Middleware;
  /** Members of the metadata documents that are not the library's. */
  alsoAdvertised: Readonly<Record<string, unknown>>;
  prepareClient: PrepareClient;
  /** Wraps what happens at an endpoint, by its path. */
  around: Readonly<Record<string, Middleware>>;
};

/**
 * The library, mounted: before it, what it must not see or can't tell; after it, what the contract wants
 * otherwise. Requests for other paths pass by.
 */
export function oauthEndpoints({
  provider,
  webUrl,
  alsoAdvertised,
  prepareClient,
  jwks,
  limitFailures,
  around,
}: Deps): Middleware {
  const mounted = compose(provider.middleware) as unknown as Middleware;
  // What the library catches and can't answer (a database that is away, our own bugs) is ours to answer and to log.
  provider.on('server_error', (ctx, error) => {
    ctx.state[SERVER_ERROR] = error;
  });
  const library: Middleware = async (ctx, next) => {
    await mounted(ctx, next);
    if (ctx.state[SERVER_ERROR]) throw ctx.state[SERVER_ERROR] as Error;
  };

  return async (ctx, next) => {
    if (!isOurs(ctx.path)) return next();
    if (MACHINE_ENDPOINTS.has(ctx.path)) {
      ctx.req.headers.accept = 'application/json';
      if (ctx.method === 'OPTIONS') return library(ctx, next);
      try {
        if (ctx.method !== 'POST') {
          throw new AppError('method_not_allowed', 'Send a POST with a form.', {
            allow: ['POST', 'OPTIONS'],
          });
        }
        if (!(await screenBody(ctx, prepareClient))) return;
        const wrapper = around[ctx.path];
        await limitFailures(ctx, () =>
          wrapper ? wrapper(ctx, () => library(ctx, next)) : library(ctx, next),
        );
      } finally {
        openToWebsites(ctx);
      }
      return;
    }
    if (POSTED_BY_BROWSERS.has(ctx.path) && ctx.method === 'POST') return await askAgainWithGet(ctx);
    if (ctx.path === '/oauth/authorize') {
      screenAuthorizationRequest(ctx);
      await prepareClient(ctx, { clientId: oneOf(ctx.query['client_id']), assertion: undefined });
    }
    const wrapper = around[ctx.path];
    await (wrapper ? wrapper(ctx, () => library(ctx, next)) : library(ctx, next));
    if (ctx.path === '/oauth/logout') letLogoutLeave(ctx);
    if (DISCOVERY.has(ctx.path)) placeEndpoints(ctx, webUrl, alsoAdvertised);
    if (ctx.path === '/.well-known/jwks.json' && ctx.status === 200) {
      ctx.body = jwks.publish(); // the library has those that sign now alone
      ctx.type = 'application/jwk-set+json';
      ctx.set('Cache-Control', `public, max-age=${jwks.maxAgeSeconds}`);
      ctx.set('Access-Control-Allow-Origin', '*');
    }
  };
}

/**
 * A single-page app reads its answers, errors that the library never saw included. No cookie is read at these endpoints. Set
 * afterwards: the library answers preflights alone where it finds nothing set.
 */
function openToWebsites(ctx: Context): void {
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate, DPoP-Nonce, Retry-After, X-Request-Id');
}

/**
 * What an app's page posts comes from another site, and so without our cookies. The same request as a GET has them
 * (SameSite=Lax lets a navigation through), and nothing happens by it that a person isn't asked.
 */
async function askAgainWithGet(ctx: Context): Promise<void> {
  const query = await readFormText(ctx);
  if (query.length > LONGEST_QUERY) throw new AppError('payload_too_large', 'The form is too long.');
  seeOther(ctx, `${ctx.path}?${new URLSearchParams(query).toString()}`);
}

/** The library's page that goes on by itself when nobody is signed in: its form ends at the app. */
function letLogoutLeave(ctx: Context): void {
  const uri = (ctx as unknown as KoaContextWithOIDC).oidc.params?.['post_logout_redirect_uri'];
  if (ctx.status === 200 && typeof uri === 'string') allowFormTarget(ctx, uri);
}

const oneOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
