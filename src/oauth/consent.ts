import { grantableScopes, type Role } from '../../config/roles.ts';
import type { Scope } from '../../config/scopes.ts';

export type ConsentMembership = {
  organizationId: string;
  organizationName: string;
  role: Role;
  /** The organization requires a second factor, and this member has none. */
  lacksSecondFactor: boolean;
};

export type ConsentAnswer = { organizationId: string; scopes: string[] };

export type ConsentDecision =
  | { kind: 'granted'; organizationId: string; granted: Scope[]; rejected: Scope[] }
  | { kind: 'second_factor_required' }
  | { kind: 'invalid'; message: string };

/**
 * What a person's answer on the consent page comes to. Pure: the form says what was ticked, and nothing in it
 * can grant more than was asked for, or more than the person's role in that organization may give.
 * `identityAsked`: openid was asked for, so that there is something to allow without any API scope.
 */
export function decideConsent(
  request: { scopes: readonly Scope[]; identityAsked: boolean },
  memberships: readonly ConsentMembership[],
  answer: ConsentAnswer,
): ConsentDecision {
  const membership = memberships.find(({ organizationId }) => organizationId === answer.organizationId);
  if (!membership) return { kind: 'invalid', message: 'Choose one of your organizations.' };
  const grantable = grantableScopes(membership.role);
  const ticked = request.scopes.filter((scope) => answer.scopes.includes(scope));
  const granted = ticked.filter((scope) => grantable.includes(scope));
  if (granted.length === 0 && !request.identityAsked) {
    return {
      kind: 'invalid',
      message:
        ticked.length === 0
          ? 'Keep at least one permission ticked, or choose Deny.'
          : `Your role in ${membership.organizationName} (${membership.role}) can't give these permissions. Choose another organization, or Deny.`,
    };
  }
  if (membership.lacksSecondFactor) return { kind: 'second_factor_required' };
  return {
    kind: 'granted',
    organizationId: membership.organizationId,
    granted,
    rejected: request.scopes.filter((scope) => !granted.includes(scope)),
  };
}

/** A space-separated scope string with some added and some removed; undefined when nothing is left. */
export function amendScopes(
  before: string | undefined,
  add: readonly string[],
  remove: readonly string[],
): string | undefined {
  const scopes = new Set((before ?? '').split(' ').filter(Boolean));
  for (const scope of add) scopes.add(scope);
  for (const scope of remove) scopes.delete(scope);
  return scopes.size === 0 ? undefined : [...scopes].join(' ');
}
