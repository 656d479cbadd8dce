import { ALL_SCOPES, SCOPES, type Scope } from './scopes.ts';

/** What a person is in an organization, and so the most that they may grant. */
export const ROLES = ['owner', 'admin', 'member', 'viewer'] as const;

export type Role = (typeof ROLES)[number];

const GRANTABLE: Record<Role, readonly Scope[]> = {
  owner: ALL_SCOPES,
  admin: ALL_SCOPES,
  member: ALL_SCOPES.filter((scope) => SCOPES[scope].level !== 'admin'),
  viewer: ALL_SCOPES.filter((scope) => SCOPES[scope].level === 'read'),
};

/** The scopes that a person in this role may give to an app or a key. */
export const grantableScopes = (role: Role): readonly Scope[] => GRANTABLE[role];

/** `scopes` without those that the role may not grant (any more). */
export const capScopes = (scopes: readonly Scope[], role: Role): Scope[] =>
  scopes.filter((scope) => GRANTABLE[role].includes(scope));
