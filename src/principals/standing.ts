import type { Environment } from '../../config/environments.ts';
import { capScopes, type Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';
import { isUnderGrant } from '../kernel/grant-mark.ts';
import type { Allowance } from './principal.ts';

/** What an access token rests on, as it is now. A JWT says what was true an hour ago; this says what still is. */
export type UserStanding = {
  environment: Environment;
  /** The most that the app may hold. */
  appScopes: readonly Scope[];
  /** Neither deleted nor deactivated. */
  userActive: boolean;
  /** In the token's organization; undefined when the person doesn't belong to it (any more). */
  role: Role | undefined;
  /** Under which the person allows this app in this organization; undefined when they don't (any more). */
  grantId: string | undefined;
  /** The token itself was revoked, or the key that signed it was dropped. */
  revoked: boolean;
  /** Of the token's organization, and of the app within it. */
  allowance: Allowance;
};

export type AppStanding = {
  environment: Environment;
  appScopes: readonly Scope[];
  organizationId: string;
  revoked: boolean;
  allowance: Allowance;
};

/** `jti`: the token's id. `kid`: the key that signed it. */
type TokenOfApp = { appId: string; jti: string; kid: string };

/** One statement a call. Undefined when the app is gone. */
export type Standings = {
  ofUser(token: TokenOfApp & { userId: string; organizationId: string }): Promise<UserStanding | undefined>;
  ofApp(token: TokenOfApp): Promise<AppStanding | undefined>;
};

/**
 * What is left of the `granted` scopes of a person's token, undefined when nothing is: the person, the membership, the grant or
 * the app went. A token of an earlier grant, which was withdrawn, stays dead. `jti`: the token's id, which names its grant.
 */
export function scopesLeftToUser(
  standing: UserStanding | undefined,
  granted: readonly Scope[],
  jti: string,
): Scope[] | undefined {
  if (
    !standing?.userActive ||
    standing.revoked ||
    standing.role === undefined ||
    standing.grantId === undefined
  )
    return undefined;
  if (!isUnderGrant(jti, standing.grantId)) return undefined;
  return capScopes(granted, standing.role).filter((scope) => standing.appScopes.includes(scope));
}

/** The same for an app that acts for itself, in the one organization that it belongs to. */
export function scopesLeftToApp(
  standing: AppStanding | undefined,
  granted: readonly Scope[],
  organizationId: string,
): Scope[] | undefined {
  if (standing?.organizationId !== organizationId || standing.revoked) return undefined;
  return granted.filter((scope) => standing.appScopes.includes(scope));
}
