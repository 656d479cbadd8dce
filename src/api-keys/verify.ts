import { capScopes } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import { networkMatcher } from '../kernel/addresses.ts';
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
import { type ApiKeyStore, allowlistOf, claimsToBeKey, hasKeyShape, type KeyInUse } from './api-key.ts';

export type NoteOutsideUse = (
  key: Pick<KeyInUse, 'id' | 'organizationId' | 'environment'>,
  ip: string,
) => void;

/** Resolves API keys. One whose checksum is wrong never reaches the database. */
export function createApiKeyResolver({
  apiKeys,
  noteOutsideUse = () => {},
}: {
  apiKeys: Pick<ApiKeyStore, 'findByHash'>;
  /** Told of each use of a real key from an address that it may not be used from. Must not throw. */
  noteOutsideUse?: NoteOutsideUse;
}): Resolver {
  return async ({ credential }) => {
    if (!claimsToBeKey(credential)) return absent;
    if (!hasKeyShape(credential)) return bad(invalidCredential());
    return judgeKey(await apiKeys.findByHash(sha256(credential)), noteOutsideUse);
  };
}

/**
 * Whether a key that was found still opens anything. That it was revoked or has expired is told: only who holds the
 * real key gets here.
 */
export function judgeKey(key: KeyInUse | undefined, noteOutsideUse: NoteOutsideUse = () => {}): Resolution {
  if (!key) return bad(invalidCredential());
  if (key.revokedAt) return bad(new AppError('credential_revoked', 'This API key was revoked.'));
  if (key.expiresAt && key.expiresAt <= key.readAt) {
    return bad(new AppError('credential_expired', 'This API key has expired.'));
  }
  const scopes = scopesLeft(key);
  if (!scopes) {
    return bad(
      new AppError('credential_revoked', 'Who made this API key is no longer a member of the organization.'),
    );
  }
  const { id, organizationId, environment, createdBy, createdByApp, expiresAt, readAt, allowance } = key;
  const allowlist = allowlistOf(key);
  const isAllowed = allowlist.length > 0 ? networkMatcher(allowlist) : undefined;
  return proven(
    { method: 'api_key', id, organizationId, environment, scopes, allowance },
    {
      restsOn: {
        tags: [
          `key:${id}`,
          `organization:${organizationId}`,
          ...(createdBy ? [`user:${createdBy}`] : []),
          ...(createdByApp ? [`app:${createdByApp}`] : []),
        ],
        ...(expiresAt ? { forMs: expiresAt.getTime() - readAt.getTime() } : {}),
      },
      ...(isAllowed
        ? {
            admits: ({ ip }) => {
              if (isAllowed(ip)) return undefined;
              noteOutsideUse({ id, organizationId, environment }, ip);
              return new AppError('ip_not_allowed', `This API key may not be used from ${ip}.`);
            },
          }
        : {}),
    },
  );
}

/** What the key may do by now: no more than its creator. Undefined when the creator may do nothing here any more. */
function scopesLeft({ scopes, creatorRole, creatorAppScopes }: KeyInUse): Scope[] | undefined {
  if (creatorRole) return capScopes(scopes, creatorRole);
  return creatorAppScopes && scopes.filter((scope) => creatorAppScopes.includes(scope));
}
