import type { IncomingMessage } from 'node:http';
import type { JWK } from 'jose';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { readFormText } from '../http/forms.ts';
import { seeOther } from '../http/page.ts';
import { allowFormTarget } from '../http/security-headers.ts';
import { AppError } from '../kernel/errors.ts';
import { rawHeaderValues } from '../kernel/raw-headers.ts';
import { DEVICE_PAGE } from './device-flow.ts';
import { maskToken } from './outside-tokens.ts';
import type { PrepareClient } from './prepare-clients.ts';
import { ADVERTISED_SCOPES } from './provider.ts';
import { GRANT_TYPE } from './token-endpoint.ts';

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

/** Where a token is what is asked about: the library would refuse JWTs there. */
const MANAGES_TOKENS = new Set(['/oauth/introspect', '/oauth/revoke']);

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

const repeats = (types: string): boolean => new Set(types.split(' ')).size !== types.split(' ').length;

/**
 * RFC 6749 §3.1.1: the order of response types doesn't matter, but each stands once. The library takes
 * "code code" for "code"; made unknown, it answers as for any other type.
 */
function screenAuthorizationRequest(ctx: Context): void {
  const type = ctx.query['response_type'];
  if (typeof type === 'string' && repeats(type)) {
    ctx.query = { ...ctx.query, response_type: 'repeated' };
  }
}

/**
 * Reads the form before the library does, and lets the library read it again. What isn't a form, or isn't text, is
 * answered here as RFC 6749 §5.2 says. Returns whether to go on.
 */
async function screenBody(ctx: Context, prepareClient: PrepareClient): Promise<boolean> {
  try {
    if (rawHeaderValues(ctx.req.rawHeaders, 'authorization').length > 1) {
      throw new AppError('bad_request', 'The request carries more than one Authorization header.'); // Node keeps the first
    }
    if (!ctx.get('Content-Type')) return true; // no body: the library says what is missing
    const text = await readFormText(ctx);
    const form = new URLSearchParams(text);
    ctx.state[GRANT_TYPE] = form.get('grant_type');
    await prepareClient(ctx, {
      clientId: form.get('client_id') ?? undefined,
      assertion: form.get('client_assertion') ?? undefined,
    });
    const repeated = repeats(form.get('response_type') ?? '');
    if (repeated) form.set('response_type', 'repeated'); // as at the authorization endpoint
    replayBody(
      ctx.req,
      Buffer.from(MANAGES_TOKENS.has(ctx.path) ? maskToken(text) : repeated ? form.toString() : text),
    );
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.status === 413 || error.status === 429) throw error;
    ctx.status = 400;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { error: 'invalid_request', error_description: error.detail };
    return false;
  }
}

/**
 * The library reads the body through `req.iterator()` when the request is still readable. What was read
 * already is given to it there; handing it a parsed body instead makes it complain on the console.
 */
function replayBody(req: IncomingMessage, body: Buffer): void {
  if (req.headers['content-length'] !== undefined) req.headers['content-length'] = String(body.length);
  Object.defineProperty(req, 'readable', { value: true, configurable: true });
  Object.defineProperty(req, 'iterator', {
    value: async function* () {
      yield body;
    },
  });
}

/** Each endpoint on its own origin, whatever host the document was asked for at; and the scopes of the API. */
function placeEndpoints(ctx: Context, webUrl: string, more: Readonly<Record<string, unknown>>): void {
  const document = ctx.body as Record<string, unknown> | undefined;
  if (ctx.status !== 200 || !document) return;
  const onWeb = (name: string): object => {
    const url = document[name];
    return typeof url === 'string' ? { [name]: webUrl + new URL(url).pathname } : {};
  };
  const methods = [document['token_endpoint_auth_methods_supported']].flat().map(String);
  ctx.body = {
    ...document,
    ...onWeb('authorization_endpoint'),
    ...onWeb('end_session_endpoint'),
    ...more,
    // RFC 8414 §2. A public app may revoke its own tokens, and introspect none.
    revocation_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    scopes_supported: ADVERTISED_SCOPES,
  };
  ctx.set('Cache-Control', 'public, max-age=300');
  ctx.set('Access-Control-Allow-Origin', '*');
}
