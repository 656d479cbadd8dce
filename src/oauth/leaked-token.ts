import type { Environment } from '../../config/environments.ts';
import type { RecordAudit } from '../audit/event.ts';
import { hasSecretShape } from '../kernel/secret.ts';
import type { LeakHandler } from '../secret-scanning/leak.ts';
import type { GrantStore } from './grant-store.ts';

/** Whose a refresh token is, spent ones included. */
export type RefreshTokenOwner = {
  grantId: string;
  userId: string;
  appId: string;
  organizationId: string;
  environment: Environment;
};

/**
 * A refresh token that was found in public ends with all that hangs on its grant, whatever the organization wants of its own
 * secrets: it is a person's, and the app only asks again.
 */
export const createLeakedRefreshTokens = (deps: {
  ownerOf(refreshToken: string): Promise<RefreshTokenOwner | undefined>;
  deleteByGrant(grantId: string): Promise<void>;
  grants: Pick<GrantStore, 'delete'>;
  audit: RecordAudit;
}): LeakHandler => ({
  secret: 'refresh_token',
  recognises: (value) => hasSecretShape('rt_', value),
  disarm: async (value) => {
    const owner = await deps.ownerOf(value);
    if (!owner) return undefined;
    const { grantId, userId, appId, organizationId, environment } = owner;
    const found = { organizationId, environment, subject: `${userId}:${appId}` };
    await deps.deleteByGrant(grantId);
    if (!(await deps.grants.delete(grantId))) return { ...found, action: undefined };
    await deps.audit({
      type: 'token.revoked',
      organizationId,
      environment,
      actor: { type: 'system' },
      targetId: grantId,
      data: { token: 'refresh_token', reason: 'leaked' },
    });
    return { ...found, action: 'revoked' };
  },
});
