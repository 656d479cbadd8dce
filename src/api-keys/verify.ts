import { capScopes } from '../../config/roles.ts';
import { AppError } from '../kernel/errors.ts';
import { sha256 } from '../kernel/secret.ts';
import {
  absent,
  bad,
  invalidCredential,
  proven,
  type Resolution,
  type Resolver,
} from '../principals/resolve.ts';
import { type ApiKeyStore, claimsToBeKey, hasKeyShape, type KeyInUse } from './api-key.ts';

/** Resolves API keys. One whose checksum is wrong never reaches the database. */
export function createApiKeyResolver({ apiKeys }: { apiKeys: Pick<ApiKeyStore, 'findByHash'> }): Resolver {
  return async ({ credential }) => {
    if (!claimsToBeKey(credential)) return absent;
    if (!hasKeyShape(credential)) return bad(invalidCredential());
    return judgeKey(await apiKeys.findByHash(sha256(credential)));
  };
}

/**
 * Whether a key that was found still opens anything. That it was revoked or has expired is told: only who holds the real key
 * gets here.
 */
export function judgeKey(key: KeyInUse | undefined): Resolution {
  if (!key) return bad(invalidCredential());
  if (key.revokedAt) return bad(new AppError('credential_revoked', 'This API key was revoked.'));
  if (key.expiresAt && key.expiresAt <= key.readAt) {
    return bad(new AppError('credential_expired', 'This API key has expired.'));
  }
  if (!key.creatorRole) {
    return bad(
      new AppError(
        'credential_revoked',
        'The person who made this API key is no longer a member of the organization.',
      ),
    );
  }
  const { id, organizationId, environment } = key;
  return proven({
    method: 'api_key',
    id,
    organizationId,
    environment,
    scopes: capScopes(key.scopes, key.creatorRole),
  });
}
