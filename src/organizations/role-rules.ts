import { ROLES, type Role } from '../../config/roles.ts';

/*
 * Who may do what to whom in an organization. All pure; that the last owner stays depends on the others, and is seen to
 * where the organization is locked.
 */

const rank = (role: Role): number => ROLES.length - ROLES.indexOf(role);

/** The roles that somebody in this role may give: none above their own, and none at all below admin. */
export const grantableRoles = (actor: Role): readonly Role[] =>
  rank(actor) < rank('admin') ? [] : ROLES.filter((role) => rank(role) <= rank(actor));

export const mayInvite = (actor: Role, role: Role): boolean => grantableRoles(actor).includes(role);

/** Only an owner may make or change an owner. */
export const mayChangeRole = (actor: Role, from: Role, to: Role): boolean =>
  grantableRoles(actor).includes(from) && grantableRoles(actor).includes(to);

/** Anybody may leave. */
export const mayRemove = (actor: Role, target: Role, isSelf: boolean): boolean =>
  isSelf || grantableRoles(actor).includes(target);
