import type { RecordAudit } from '../audit/event.ts';
import type { GrantStore } from './grant-store.ts';
import type { RevokedBy } from './outside-tokens.ts';

/**
 * Ends all that hangs on a grant, as an app asked by revoking a refresh token (RFC 7009 §2.1): the grant goes, and with it codes,
 * refresh tokens, and at once every access token under it. Joins the open transaction, which has to be there.
 */
export function createFamilyEnding(deps: {
  deleteByGrant(grantId: string): Promise<void>;
  grants: Pick<GrantStore, 'delete'>;
  audit: RecordAudit;
}) {
  return async (grantId: string, { clientId, ip }: RevokedBy): Promise<void> => {
    await deps.deleteByGrant(grantId);
    const organizationId = await deps.grants.delete(grantId);
    if (!organizationId) return; // somebody else was faster, and has recorded it
    await deps.audit({
      type: 'token.revoked',
      organizationId,
      actor: { type: 'app', id: clientId },
      targetId: grantId,
      ip,
      data: { token: 'refresh_token' },
    });
  };
}
