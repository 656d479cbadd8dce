import type { Context } from 'koa';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import { AlreadyUsedError } from './already-used-error.ts';
import type { GrantStore } from './grant-store.ts';

export type ReplayDeps = {
  grants: Pick<GrantStore, 'delete'>;
  /** Deletes every code, token and request that hangs on a grant. */
  deleteByGrant(grantId: string): Promise<void>;
  recordReplay(event: {
    organizationId: string;
    appId: string | undefined;
    grantId: string;
    ip: string;
  }): Promise<void>;
};

const REPLAY = 'replay';

type Spent = { kind: string; grantId?: string; consumed?: unknown };
type Findable = { name: string; find(...args: unknown[]): Promise<Spent | undefined> };

/**
 * Brings every second use of a code or refresh token to one place. There are two: the library looks and sees that
 * it was spent (it would revoke and answer by itself; instead, looking throws here, after its checks of client, grant
 * and key); or several requests come at once and the storage lets only one of them spend it.
 */
export function noticeReplays(provider: Provider): void {
  for (const model of [provider.AuthorizationCode, provider.RefreshToken, provider.DeviceCode]) {
    const findable = model as unknown as Findable;
    const find = findable.find.bind(findable);
    findable.find = async (...args) => {
      const found = await find(...args);
      if (found?.consumed && Provider.ctx?.oidc.route === 'token') {
        const { kind, grantId } = found;
        Object.defineProperty(found, 'consumed', {
          get: () => {
            throw new AlreadyUsedError(kind, grantId);
          },
        });
      }
      return found;
    };
  }
  provider.on('grant.error', (ctx, error) => {
    if (error instanceof AlreadyUsedError) ctx.state[REPLAY] = error;
  });
}

/** The second use that this token request turned out to be, if it was one. */
export const replayOf = (ctx: Context): AlreadyUsedError | undefined =>
  ctx.state[REPLAY] as AlreadyUsedError | undefined;

/**
 * RFC 6749 §4.1.2 and RFC 9700 §4.14: a code or refresh token that comes again was stolen from somebody, so
 * the whole family goes, and the audit log says so.
 */
export async function punishReplay(
  ctx: Context,
  { grantId }: AlreadyUsedError,
  deps: ReplayDeps,
): Promise<void> {
  if (!grantId) return;
  await deps.deleteByGrant(grantId);
  const organizationId = await deps.grants.delete(grantId);
  if (!organizationId) return; // another replay of the same family was faster, and has recorded it
  const appId = (ctx as unknown as KoaContextWithOIDC).oidc.client?.clientId;
  await deps.recordReplay({ organizationId, appId, grantId, ip: ctx.ip });
}
