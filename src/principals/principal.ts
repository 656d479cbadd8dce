import type { Environment } from '../../config/environments.ts';
import type { Method } from '../../config/methods.ts';
import type { Figures, Plan } from '../../config/plans.ts';
import type { IdentityScope, Scope } from '../../config/scopes.ts';

/**
 * Who a credential proves, and what it may do. From here on nothing asks which kind of credential it was, but to say so.
 * `scopes` are what holds now: what was granted, without what the person's role or the app's registration lost since.
 */
export type Principal = {
  method: Method;
  /** The API key's id; the user's for `oauth_user`; the app's for `client_credentials`. */
  id: string;
  organizationId: string;
  /** The person who acts, or for whom an app does. Absent for keys and for apps that act for themselves. */
  userId?: string;
  /** The app, for both OAuth grants. */
  clientId?: string;
  environment: Environment;
  scopes: readonly Scope[];
  /** What the app may know of the person; absent where nothing was asked. No route needs it: `/oauth/userinfo` does. */
  identityScopes?: readonly IdentityScope[];
};

/** How much a caller may ask for. */
export type Allowance = {
  plan: Plan;
  /** The organization's figures, where they differ from the plan's. */
  own: Partial<Figures>;
  /** Lower ones of the key or the app; what they count is counted for `capId`. */
  cap: Partial<Figures>;
  capId: string;
};

/** A principal as its credential proves it. */
export type Caller = Principal & { allowance: Allowance };

/** Who acts, and from which address. */
export type By = { principal: Principal; ip: string };

/** What of an organization's keys and apps a caller sees: a sandbox credential knows of the sandbox's alone. */
export type Visible = { organizationId: string; environments: readonly Environment[] };

/** `only`: of one environment, where the caller asks for it. */
export const visibleTo = ({ organizationId, environment }: Principal, only?: Environment): Visible => ({
  organizationId,
  environments: (environment === 'test' ? (['test'] as const) : (['live', 'test'] as const)).filter(
    (one) => only === undefined || one === only,
  ),
});

/** Who the audit log names for what a principal did. */
export const actorOf = ({ method, id }: Principal): { type: 'api_key' | 'user' | 'app'; id: string } => ({
  type: ({ api_key: 'api_key', oauth_user: 'user', client_credentials: 'app' } as const)[method],
  id,
});
