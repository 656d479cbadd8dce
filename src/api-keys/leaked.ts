import type { RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { sha256 } from '../kernel/secret.ts';
import type { LeakHandler } from '../secret-scanning/leak.ts';
import { type ApiKey, type ApiKeyStore, hasKeyShape, statusOf } from './api-key.ts';
import { type CreateApiKey, successorOf } from './create.ts';

const system = { actor: { type: 'system' } } as const;

/**
 * A key that was found in public is revoked; or, rolled, it works for the grace and has a successor with the same
 * settings, whose secret nobody has seen: its owner rotates that one to get it. Where the organization has no room for
 * another key, it is revoked after all.
 */
export function createLeakedKeys(deps: {
  apiKeys: ApiKeyStore;
  createApiKey: CreateApiKey;
  audit: RecordAudit;
  clock: Clock;
}): LeakHandler {
  const { apiKeys, createApiKey, audit, clock } = deps;

  const revoke = async ({ id, organizationId, environment, name }: ApiKey): Promise<'revoked'> => {
    await apiKeys.revoke(id);
    await audit({
      ...system,
      type: 'api_key.revoked',
      organizationId,
      environment,
      targetId: id,
      data: { name, reason: 'leaked' },
    });
    return 'revoked';
  };

  const roll = async (key: ApiKey, graceSeconds: number): Promise<'revoked' | 'rolled'> => {
    try {
      if (!key.replacedAt) await createApiKey(successorOf(key, clock()), system);
    } catch (error) {
      if (error instanceof AppError && error.code === 'conflict') return revoke(key);
      throw error;
    }
    await apiKeys.replace(key.id, graceSeconds);
    return 'rolled';
  };

  return {
    secret: 'api_key',
    recognises: hasKeyShape,
    disarm: async (value, policyOf) => {
      const found = await apiKeys.findByHash(sha256(value));
      if (!found) return undefined;
      const { id, organizationId, environment } = found;
      const key = await apiKeys.findForChange({ organizationId, environments: [environment] }, id);
      if (!key) return undefined;
      const status = statusOf(key, clock());
      const owner = { organizationId, environment, subject: id };
      if (status === 'revoked' || status === 'expired') return { ...owner, action: undefined };
      const policy = await policyOf(organizationId);
      return {
        ...owner,
        action: policy.kind === 'revoke' ? await revoke(key) : await roll(key, policy.graceSeconds),
      };
    },
  };
}
