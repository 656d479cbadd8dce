import type { Context, Middleware } from 'koa';
import { APP_KINDS, authMethodOf } from '../../config/app-kinds.ts';
import { parseJson, readText, requireJson } from '../http/body.ts';
import type { AttemptLimit } from '../kernel/attempts.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import { ClientMetadataError } from './client-registration.ts';
import type { RegisteredItself, SelfRegistration } from './self-registration.ts';

const PATH = '/oauth/register';

export type RegistrationEndpointDeps = {
  apiUrl: string;
  /** open: anybody may register an app; token: who has an initial access token; off: there is no such endpoint. */
  mode: 'off' | 'open' | 'token';
  registration: SelfRegistration;
  /** Whether it is an initial access token that the operator gave out and that has not expired. */
  isInitialAccessToken(token: string): Promise<boolean>;
  limit: AttemptLimit;
  networkOf(ip: string): string;
};

/**
 * Dynamic client registration (RFC 7591) and its management (RFC 7592). Ours and not the library's: an app is the same
 * record here, whoever registered it, and no member of ours can come in with the metadata.
 */
export function registrationEndpoint(deps: RegistrationEndpointDeps): Middleware {
  return async (ctx, next) => {
    const isCollection = ctx.path === PATH;
    if (deps.mode === 'off' || (!isCollection && !ctx.path.startsWith(`${PATH}/`))) return next();
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate, Retry-After, X-Request-Id');
    const methods = isCollection ? ['POST'] : ['GET', 'PUT', 'DELETE'];
    if (ctx.method === 'OPTIONS') return preflight(ctx, methods);
    if (!methods.includes(ctx.method)) {
      throw new AppError('method_not_allowed', 'See RFC 7591 and RFC 7592.', {
        allow: [...methods, 'OPTIONS'],
      });
    }
    try {
      await (isCollection ? register(ctx, deps) : manage(ctx, deps));
    } catch (error) {
      answerFault(ctx, error);
    }
  };
}

function preflight(ctx: Context, methods: readonly string[]): void {
  ctx.set('Access-Control-Allow-Methods', methods.join(', '));
  ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type');
  ctx.set('Access-Control-Max-Age', '3600');
  ctx.status = 204;
}

async function register(ctx: Context, deps: RegistrationEndpointDeps): Promise<void> {
  const { allowed, retryAfterSeconds } = await deps.limit.attempt(deps.networkOf(ctx.ip));
  if (!allowed) {
    throw new AppError('rate_limited', 'Too many registrations from your network.', { retryAfterSeconds });
  }
  if (deps.mode === 'token' && !(await deps.isInitialAccessToken(bearerOf(ctx)))) return unauthorized(ctx);
  const metadata = await readMetadata(ctx);
  const { app, secret, token } = await deps.registration.register(metadata, ctx.ip);
  ctx.status = 201;
  ctx.body = {
    ...present(app, askedMethod(metadata)),
    ...presentSecret(secret),
    registration_access_token: token.reveal(),
    registration_client_uri: uriOf(app, deps),
  };
}

async function readMetadata(ctx: Context): Promise<unknown> {
  requireJson(ctx);
  return parseJson(await readText(ctx));
}

async function manage(ctx: Context, deps: RegistrationEndpointDeps): Promise<void> {
  const { registration } = deps;
  const id = ctx.path.slice(PATH.length + 1);
  const token = bearerOf(ctx);
  if (ctx.method === 'DELETE') {
    if (!(await registration.delete(id, token, ctx.ip))) return unauthorized(ctx);
    ctx.status = 204;
    return;
  }
  const metadata = ctx.method === 'PUT' ? await readMetadata(ctx) : undefined;
  const found =
    ctx.method === 'PUT'
      ? await registration.update(id, token, metadata, ctx.ip)
      : { app: await registration.read(id, token), secret: undefined };
  if (!found?.app) return unauthorized(ctx);
  // RFC 7592 §3: the token comes back, as it was presented; the secret is kept as a hash, and told when it is new.
  ctx.body = {
    ...present(found.app, askedMethod(metadata)),
    ...presentSecret(found.secret),
    registration_access_token: token,
    registration_client_uri: uriOf(found.app, deps),
  };
}

const uriOf = ({ id }: RegisteredItself, { apiUrl }: RegistrationEndpointDeps): string =>
  `${apiUrl}${PATH}/${id}`;

const presentSecret = (secret: Secret | undefined): object =>
  secret ? { client_secret: secret.reveal(), client_secret_expires_at: 0 } : {};

/** client_secret_post works for every app that has a secret, and is told to who asked for it. */
const askedMethod = (metadata: unknown): string | undefined =>
  (metadata as { token_endpoint_auth_method?: string } | undefined)?.token_endpoint_auth_method;

const present = (app: RegisteredItself, asked?: string): Record<string, unknown> => ({
  client_id: app.id,
  client_id_issued_at: epochSeconds(app.createdAt),
  client_name: app.name,
  application_type: app.kind === 'native' ? 'native' : 'web',
  redirect_uris: app.redirectUris,
  ...(app.postLogoutRedirectUris.length > 0 ? { post_logout_redirect_uris: app.postLogoutRedirectUris } : {}),
  token_endpoint_auth_method: asked ?? authMethodOf(app),
  grant_types: [...APP_KINDS[app.kind].grantTypes],
  response_types: ['code'],
  scope: app.scopes.join(' '),
  ...(app.jwks ? { jwks: app.jwks } : {}),
  ...(app.jwksUri ? { jwks_uri: app.jwksUri } : {}),
  ...(app.homepageUrl ? { client_uri: app.homepageUrl } : {}),
  ...(app.privacyUrl ? { policy_uri: app.privacyUrl } : {}),
});

const bearerOf = (ctx: Context): string => /^Bearer\s+(\S+)$/i.exec(ctx.get('Authorization'))?.[1] ?? '';

function unauthorized(ctx: Context): void {
  ctx.status = 401;
  ctx.set('WWW-Authenticate', ctx.get('Authorization') ? 'Bearer error="invalid_token"' : 'Bearer');
  ctx.body = { error: 'invalid_token', error_description: 'the token is missing, wrong or expired' };
}

/** In the words of RFC 7591 §3.2.2; what is no fault of the request goes on. */
function answerFault(ctx: Context, error: unknown): void {
  const isFault = error instanceof AppError && [400, 415, 422].includes(error.status);
  if (!(error instanceof ClientMetadataError) && !isFault) throw error;
  ctx.status = 400;
  ctx.body =
    error instanceof ClientMetadataError
      ? { error: error.code, error_description: error.message }
      : { error: 'invalid_client_metadata', error_description: error.detail };
}
