import type { RecordAudit } from '../audit/event.ts';

/**
 * Withdraws what a person allowed an app, in one organization or in all of them. Every code, refresh token and access
 * token under it is refused everywhere within a second; the app has to ask again. False when there was nothing to withdraw.
 */
export function createConsentWithdrawal(deps: {
  /** Gives the organizations that the grants were for. */
  endGrants(of: { userId: string; appId: string; organizationId?: string }): Promise<string[]>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
}) {
  return (
    of: { userId: string; appId: string; organizationId?: string },
    by: { ip: string },
  ): Promise<boolean> =>
    deps.transaction(async () => {
      const organizations = await deps.endGrants(of);
      for (const organizationId of organizations) {
        await deps.audit({
          type: 'grant.withdrawn',
          organizationId,
          actor: { type: 'user', id: of.userId },
          targetId: of.appId,
          ip: by.ip,
        });
      }
      return organizations.length > 0;
    });
}
