import type { Middleware } from 'koa';
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { RegisteredClient } from './client-metadata.ts';
import { type Ownership, outsideOf, type RevokedBy } from './outside-tokens.ts';
import { mayRevoke } from './token-owner.ts';

export type RevocationDeps = {
  /** Whose refresh token it is; undefined when its grant has gone already. */
  ownerOfGrant(grantId: string): Promise<Omit<Ownership, 'clientId'> | undefined>;
  /** Ends all that hangs on the grant of a refresh token, and says so in the audit log. */
  endFamily(grantId: string, by: RevokedBy & { organizationId: string }): Promise<void>;
};

type Model = { kind: string; clientId: string; grantId?: string; destroy(): Promise<void> };

/**
 * The library's `revocation.allowedPolicy`. Says too what ending the token means: the library ends it by destroying it. RFC 7009
 * §2.1: an app that may not is told so; a public one isn't, since anybody can call himself that.
 */
export const revocationPolicy =
  ({ ownerOfGrant, endFamily }: RevocationDeps) =>
  async (ctx: KoaContextWithOIDC, anyClient: Client, anyToken: object): Promise<boolean> => {
    const client = anyClient as unknown as RegisteredClient;
    const token = anyToken as Model;
    const by: RevokedBy = { clientId: client.clientId, ip: ctx.ip };
    const outside = outsideOf(token);
    const { grantId } = token;
    const owner = outside ?? (grantId === undefined ? undefined : await ownerOfGrant(grantId));
    if (!owner) return false;
    if (!mayRevoke(client, outside ? owner : { ...owner, clientId: token.clientId })) {
      if (client.clientAuthMethod === 'none') return false;
      throw new errors.InvalidRequest('this app may not revoke this token');
    }
    const end = outside?.end;
    token.destroy = async () => {
      if (end) await end(by);
      else if (grantId !== undefined) {
        await endFamily(grantId, { ...by, organizationId: owner.organizationId });
      }
    };
    return true;
  };

class RolledBack extends Error {}

/** RFC 7009, around the library: one revocation, one transaction; an empty JSON object, where the library says nothing at all. */
export function revocationEndpoint(transaction: <T>(work: () => Promise<T>) => Promise<T>): Middleware {
  return async (ctx, next) => {
    try {
      await transaction(async () => {
        await next();
        if (ctx.status >= 500) throw new RolledBack();
      });
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error; // else the answer stands already
    }
    if (ctx.status !== 200) return;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {};
  };
}
