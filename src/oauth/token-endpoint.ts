import type { Context, Middleware } from 'koa';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import { AlreadyUsedError } from './already-used-error.ts';
import type { GrantStore } from './grant-store.ts';
import { OAuthRequestError } from './endpoints.ts';

export type TokenEndpointDeps = {
  /** Runs all of a token request in one database transaction. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  grants: Pick<GrantStore, 'delete'>;
  /** Deletes every code, token and request that hangs on a grant. */
  deleteByGrant(grantId: string): Promise<void>;
  recordReplay(event: { organizationId: string; appId: string | undefined; grantId: string; ip: string }): Promise<void>;
};

const REPLAYED_GRANT = 'replayedGrantId';

class RolledBack extends Error {}

/**
 * One token request, one transaction: a code is spent and its tokens are saved together or not at all. An
 * answer of 4xx commits (what a replay revoked has to stay revoked), one of 5xx rolls back.
 */
export function tokenTransaction(deps: TokenEndpointDeps): Middleware {
  return async (ctx, next) => {
    try {
      await deps.transaction(async () => {
        await next();
        await punishReplay(ctx, deps);
        if (ctx.status >= 500) throw new RolledBack();
      });
    } catch (error) {
      if (error instanceof RolledBack) return; // the answer stands already
      if (!(error instanceof OAuthRequestError)) throw error;
      ctx.status = 400;
      ctx.set('Cache-Control', 'no-store');
      ctx.body = { error: 'invalid_request', error_description: error.message };
    }
  };
}

/**
 * RFC 6749 §4.1.2 and RFC 9700 §4.14: a code or refresh token that comes again was stolen from somebody, so
 * the whole family goes, and the audit log says so.
 */
async function punishReplay(ctx: Context, deps: TokenEndpointDeps): Promise<void> {
  const grantId = ctx.state[REPLAYED_GRANT] as string | undefined;
  if (!grantId) return;
  await deps.deleteByGrant(grantId);
  const organizationId = await deps.grants.delete(grantId);
  if (!organizationId) return; // another replay of the same family was faster, and has recorded it
  const appId = (ctx as unknown as KoaContextWithOIDC).oidc.client?.clientId;
  await deps.recordReplay({ organizationId, appId, grantId, ip: ctx.ip });
}

/**
 * Notices replays. The library finds them in two ways: it looks and sees a spent token, and revokes the
 * family itself (asking every kind of token, the JWT access tokens too); or several requests come at once
 * and the storage lets only one of them spend it.
 */
export function noticeReplays(provider: Provider): void {
  const note = (ctx: KoaContextWithOIDC | undefined, grantId: string | undefined): void => {
    if (ctx?.oidc.route === 'token' && grantId) ctx.state[REPLAYED_GRANT] = grantId;
  };
  const accessTokens = provider.AccessToken as unknown as { revokeByGrantId(grantId: string): Promise<void> };
  accessTokens.revokeByGrantId = async (grantId) => {
    note(Provider.ctx, grantId); // there are no rows of these to delete: standing is looked up by the grant
  };
  provider.on('grant.error', (ctx, error) => {
    if (error instanceof AlreadyUsedError) note(ctx, error.grantId);
  });
}
