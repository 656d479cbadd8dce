import { sortScopes } from '../../config/scopes.ts';
import type { AuditActor, RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { type Secret, sha256 } from '../kernel/secret.ts';
import { type ApiKey, type ApiKeyStore, issueKey } from './api-key.ts';

/** An organization's keys that are neither revoked nor expired. */
const MOST_KEYS = 100;

export type NewApiKey = Pick<ApiKey, 'organizationId' | 'name' | 'environment' | 'scopes'> &
  Partial<
    Pick<
      ApiKey,
      'createdBy' | 'createdByApp' | 'expiresAt' | 'ipAllowlist' | 'limits' | 'rotatedFrom' | 'firstKeyId'
    >
  >;

export type CreateApiKey = (
  key: NewApiKey,
  by: { actor: AuditActor; ip?: string },
) => Promise<{ apiKey: ApiKey; key: Secret }>;

/**
 * Makes an API key, and shows it this once: what is kept is its hash and last four characters. Throws conflict when
 * the organization has as many as it may have. Does NOT check that the creator may grant these scopes: the caller does, to
 * say which may not, and each use of the key caps them again.
 */
export function createApiKeyCreator(deps: {
  apiKeys: Pick<ApiKeyStore, 'insert' | 'countUsable'>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  clock: Clock;
}): CreateApiKey {
  return (fields, { actor, ip }) =>
    deps.transaction(async () => {
      if ((await deps.apiKeys.countUsable(fields.organizationId)) >= MOST_KEYS) {
        throw new AppError('conflict', `An organization may have ${MOST_KEYS} API keys: revoke one first.`, {
          limit: MOST_KEYS,
        });
      }
      const { apiKey, key, hash } = makeApiKey(fields, deps.clock());
      await deps.apiKeys.insert(apiKey, hash);
      await deps.audit({
        type: apiKey.rotatedFrom ? 'api_key.rotated' : 'api_key.created',
        organizationId: apiKey.organizationId,
        environment: apiKey.environment,
        actor,
        targetId: apiKey.id,
        ...(ip ? { ip } : {}),
        data: {
          name: apiKey.name,
          scopes: apiKey.scopes,
          ...(apiKey.rotatedFrom ? { rotatedFrom: apiKey.rotatedFrom } : {}),
        },
      });
      return { apiKey, key };
    });
}

/** What replaces a key: the same settings, and as long from now as the old one had from its beginning. Pure. */
export const successorOf = (old: ApiKey, now: Date): NewApiKey => ({
  organizationId: old.organizationId,
  name: old.name,
  environment: old.environment,
  scopes: old.scopes,
  ipAllowlist: old.ipAllowlist,
  limits: old.limits,
  rotatedFrom: old.id,
  firstKeyId: old.firstKeyId ?? old.id,
  createdBy: old.createdBy,
  createdByApp: old.createdByApp,
  ...(old.expiresAt
    ? { expiresAt: new Date(now.getTime() + (old.expiresAt.getTime() - old.createdAt.getTime())) }
    : {}),
});

/** The key, what is kept of it, and the hash by which it will be found. Touches nothing. */
export function makeApiKey(fields: NewApiKey, now: Date): { apiKey: ApiKey; key: Secret; hash: Buffer } {
  const key = issueKey(fields.environment);
  const value = key.reveal();
  const apiKey: ApiKey = {
    createdBy: undefined,
    createdByApp: undefined,
    expiresAt: undefined,
    ipAllowlist: [],
    limits: {},
    rotatedFrom: undefined,
    firstKeyId: undefined,
    ...fields,
    id: newId('key', now),
    scopes: sortScopes(fields.scopes),
    last4: value.slice(-4),
    createdAt: now,
    revokedAt: undefined,
    replacedAt: undefined,
    lastUsedAt: undefined,
    lastUsedIp: undefined,
  };
  return { apiKey, key, hash: sha256(value) };
}
