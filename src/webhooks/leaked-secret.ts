import type { RecordAudit } from '../audit/event.ts';
import { sha256 } from '../kernel/secret.ts';
import type { LeakHandler } from '../secret-scanning/leak.ts';
import { issueWebhookSecret, isWebhookSecret } from './signing.ts';
import type { WebhookStore } from './webhook.ts';

/**
 * Whoever has a webhook's secret can send its receiver forged events: a new one signs from now on, which nobody has seen; its
 * owner rotates the secret once more to get it. The leaked one signs beside it for the grace, or no more; one that was being
 * rotated out already ends no later than that.
 */
export const createLeakedWebhookSecrets = ({
  webhooks,
  audit,
}: {
  webhooks: Pick<WebhookStore, 'findBySecret' | 'findForChange' | 'replaceSecret' | 'endPreviousSecret'>;
  audit: RecordAudit;
}): LeakHandler => ({
  secret: 'webhook_secret',
  recognises: isWebhookSecret,
  disarm: async (value, policyOf) => {
    const hash = sha256(value);
    const found = await webhooks.findBySecret(hash);
    if (!found) return undefined;
    await webhooks.findForChange(found, found.id);
    const { id, organizationId, environment, isPrevious } = (await webhooks.findBySecret(hash)) ?? found;
    const owner = { organizationId, environment, subject: id };
    const policy = await policyOf(organizationId);
    const graceSeconds = policy.kind === 'roll' ? policy.graceSeconds : 0;
    if (!isPrevious) await webhooks.replaceSecret(id, issueWebhookSecret(), graceSeconds);
    else if (!(await webhooks.endPreviousSecret(id, graceSeconds))) return { ...owner, action: undefined };
    await audit({
      type: 'webhook.secret_rotated',
      organizationId,
      environment,
      actor: { type: 'system' },
      targetId: id,
      data: { graceSeconds, reason: 'leaked' },
    });
    return { ...owner, action: policy.kind === 'roll' ? 'rolled' : 'revoked' };
  },
});
