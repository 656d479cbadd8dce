import type { Scope } from '../../config/scopes.ts';
import { AppError } from '../kernel/errors.ts';
import type { Principal } from './principal.ts';

/**
 * Nobody gives a key or an app what they don't hold. An API key doesn't give organization:admin at all: an app with it
 * makes keys, and so the key would have made one, without its own expiry and allowlist. Throws insufficient_scope
 * with what is lacking.
 */
export function requireHeld(
  { method, scopes }: Pick<Principal, 'method' | 'scopes'>,
  wanted: readonly Scope[],
): void {
  const canGive = (scope: Scope): boolean =>
    scopes.includes(scope) && !(method === 'api_key' && scope === 'organization:admin');
  const lacking = wanted.filter((scope) => !canGive(scope));
  if (lacking.length === 0) return;
  throw new AppError(
    'insufficient_scope',
    `This credential can not give ${lacking.join(', ')}: ${
      method === 'api_key'
        ? 'it lacks that, or is an API key, which gives nobody organization:admin'
        : 'it does not hold that'
    }.`,
    { requiredScopes: lacking },
  );
}
