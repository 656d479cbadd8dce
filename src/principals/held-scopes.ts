import type { Scope } from '../../config/scopes.ts';
import { AppError } from '../kernel/errors.ts';
import type { Principal } from './principal.ts';

/** Nobody gives a key or an app what they don't hold. Throws insufficient_scope with what is lacking. */
export function requireHeld({ scopes }: Pick<Principal, 'scopes'>, wanted: readonly Scope[]): void {
  const lacking = wanted.filter((scope) => !scopes.includes(scope));
  if (lacking.length === 0) return;
  throw new AppError(
    'insufficient_scope',
    `This credential can not give what it does not hold: ${lacking.join(', ')}.`,
    { requiredScopes: lacking },
  );
}
