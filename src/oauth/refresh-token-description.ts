import type { Environment } from '../../config/environments.ts';
import { capScopes, type Role } from '../../config/roles.ts';
import { isScope, type Scope } from '../../config/scopes.ts';
import type { RefreshTokenFacts } from './introspection.ts';
import type { Ownership, TokenDescription } from './outside-tokens.ts';

/** What a refresh token rests on, as it is now. */
export type GrantStanding = {
  organizationId: string;
  plan: string;
  environment: Environment;
  /** The most that the app may hold. */
  appScopes: readonly Scope[];
  /** Of the person in the organization; undefined when they were deactivated, or left. */
  role: Role | undefined;
};

/** What introspection says of a refresh token; undefined when it would get no new tokens. Pure. */
export function describeRefreshToken(
  apiUrl: string,
  token: RefreshTokenFacts,
  standing: GrantStanding | undefined,
): (Ownership & { description: TokenDescription }) | undefined {
  if (!standing?.role) return undefined;
  const { organizationId, environment, plan, role, appScopes } = standing;
  const granted = (token.scope ?? '').split(' ').filter(Boolean);
  const held = capScopes(granted.filter(isScope), role).filter((scope) => appScopes.includes(scope));
  const left = granted.filter((scope) => !isScope(scope) || held.includes(scope));
  return {
    organizationId,
    environment,
    clientId: token.clientId,
    description: {
      ...(left.length > 0 ? { scope: left.join(' ') } : {}),
      client_id: token.clientId,
      exp: token.exp,
      iat: token.iat,
      sub: token.accountId,
      iss: apiUrl,
      ...(token.jkt ? { cnf: { jkt: token.jkt } } : {}),
      org_id: organizationId,
      env: environment,
      auth_method: 'oauth_user',
      plan,
    },
  };
}
