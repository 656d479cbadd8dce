import type { Context, Middleware } from 'koa';
import { readForm } from '../http/forms.ts';
import { AppError } from '../kernel/errors.ts';
import type { Principal } from '../principals/principal.ts';
import type { Account } from './account.ts';

const PATH = '/oauth/userinfo';

export type UserinfoDeps = {
  /** Who the request's access token proves; throws a 400 or 401 AppError. `formToken`: the token that a form carried. */
  authenticate(ctx: Context, formToken: string | undefined): Promise<Principal>;
  findAccount(id: string): Promise<Account | undefined>;
};

/**
 * OpenID Connect Core §5.3: what the person let this app know of them. Ours and not the library's, which takes no token that
 * is for an API too. GET and POST; a form may carry the token (RFC 6750 §2.2), which §5.3.1 asks for and nothing else here takes.
 */
export function userinfoEndpoint({ authenticate, findAccount }: UserinfoDeps): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== PATH) return next();
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate, DPoP-Nonce');
    if (ctx.method === 'OPTIONS') {
      ctx.set('Access-Control-Allow-Methods', 'GET, POST');
      ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, DPoP');
      ctx.set('Access-Control-Max-Age', '3600');
      ctx.status = 204;
      return;
    }
    if (ctx.method !== 'GET' && ctx.method !== 'POST') {
      throw new AppError('method_not_allowed', 'Send a GET or a POST.', {
        allow: ['GET', 'POST', 'OPTIONS'],
      });
    }
    const principal = await authenticate(ctx, await tokenInForm(ctx));
    ctx.state.principal = principal;
    ctx.body = await claimsFor(principal, findAccount);
  };
}

async function tokenInForm(ctx: Context): Promise<string | undefined> {
  const isForm = ctx.method === 'POST' && ctx.is('application/x-www-form-urlencoded');
  return (isForm && (await readForm(ctx)).get('access_token')) || undefined;
}

async function claimsFor(
  { userId, identityScopes = [] }: Principal,
  findAccount: UserinfoDeps['findAccount'],
): Promise<Record<string, unknown>> {
  if (!userId || !identityScopes.includes('openid')) {
    throw new AppError('insufficient_scope', 'Userinfo needs an access token with the scope openid.', {
      requiredScopes: ['openid'],
    });
  }
  const account = await findAccount(userId);
  if (!account) throw new AppError('invalid_credential', 'The person is gone.');
  return {
    sub: account.id,
    ...(identityScopes.includes('profile') ? { name: account.name } : {}),
    ...(identityScopes.includes('email')
      ? { email: account.email, email_verified: account.emailConfirmed }
      : {}),
  };
}
