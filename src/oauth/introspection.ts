import type { Context, Middleware } from 'koa';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { RegisteredClient } from './client-metadata.ts';
import { type Ownership, outsideOf, type TokenDescription } from './outside-tokens.ts';
import { mayIntrospect } from './token-owner.ts';

/** A refresh token as the library knows it. */
export type RefreshTokenFacts = {
  accountId: string;
  clientId: string;
  grantId: string;
  scope: string | undefined;
  jkt: string | undefined;
  iat: number;
  exp: number;
};

export type IntrospectionDeps = {
  /** Undefined when what it rests on was withdrawn. */
  describeRefreshToken(
    token: RefreshTokenFacts,
  ): Promise<(Ownership & { description: TokenDescription }) | undefined>;
};

const DESCRIPTION = 'introspected';

/** The library's `introspection.allowedPolicy`: whether the app may know of this token. Keeps what it will be told. */
export const introspectionPolicy =
  ({ describeRefreshToken }: IntrospectionDeps) =>
  async (ctx: KoaContextWithOIDC, anyClient: Client, token: object): Promise<boolean> => {
    const client = anyClient as unknown as RegisteredClient;
    if (client.clientAuthMethod === 'none') return false;
    const outside = outsideOf(token);
    const described = outside ?? (await describeRefreshToken(token as RefreshTokenFacts));
    if (!described || !mayIntrospect(client, described)) return false;
    ctx.state[DESCRIPTION] = described.description;
    return true;
  };

/**
 * RFC 7662, around the library: it authenticates the app, and says no more than whether the token is active; what the token
 * says is put there here. An app that can't keep a secret can't ask at all (§2.1).
 */
export const introspectionEndpoint: Middleware = async (ctx, next) => {
  await next();
  if (ctx.status !== 200) return;
  const { client } = (ctx as unknown as KoaContextWithOIDC).oidc;
  if (client?.clientAuthMethod === 'none') {
    ctx.status = 401;
    ctx.body = {
      error: 'invalid_client',
      error_description: 'only an app that authenticates itself may introspect tokens',
    };
    return;
  }
  ctx.body = isActive(ctx)
    ? { active: true, ...(ctx.state[DESCRIPTION] as TokenDescription) }
    : { active: false };
};

const isActive = (ctx: Context): boolean =>
  (ctx.body as { active?: boolean }).active === true && ctx.state[DESCRIPTION] !== undefined;
