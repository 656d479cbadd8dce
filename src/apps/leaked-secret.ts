import type { RecordAudit } from '../audit/event.ts';
import { hasSecretShape, sha256 } from '../kernel/secret.ts';
import type { LeakHandler } from '../secret-scanning/leak.ts';
import type { AppStore } from './app.ts';

/** A client secret that was found in public is deleted, even if it is the app's last; or it works for the grace. */
export const createLeakedAppSecrets = ({
  apps,
  audit,
}: {
  apps: Pick<AppStore, 'findSecret' | 'deleteSecret' | 'expireSecret'>;
  audit: RecordAudit;
}): LeakHandler => ({
  secret: 'client_secret',
  recognises: (value) => hasSecretShape('secret_', value),
  disarm: async (value, policyOf) => {
    const found = await apps.findSecret(sha256(value));
    if (!found) return undefined;
    const { id, appId, organizationId, environment, usable } = found;
    const owner = { organizationId, environment, subject: appId };
    if (!usable) return { ...owner, action: undefined };
    const policy = organizationId === undefined ? undefined : await policyOf(organizationId);
    if (policy?.kind === 'roll') {
      // Reported again within the grace it is rolled already.
      return { ...owner, action: (await apps.expireSecret(id, policy.graceSeconds)) ? 'rolled' : undefined };
    }
    await apps.deleteSecret(appId, id);
    await audit({
      type: 'app.secret_deleted',
      ...(organizationId === undefined ? {} : { organizationId }),
      environment,
      actor: { type: 'system' },
      targetId: appId,
      data: { secretId: id, reason: 'leaked' },
    });
    return { ...owner, action: 'revoked' };
  },
});
