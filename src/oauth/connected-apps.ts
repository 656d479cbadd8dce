import type { Environment } from '../../config/environments.ts';
import { capScopes, type Role } from '../../config/roles.ts';
import { isScope, type Scope, sortScopes } from '../../config/scopes.ts';

/** What a grant holds, as the OAuth library keeps it: scopes by resource, and those of OpenID Connect. */
export type GrantPayload = { resources?: Record<string, string>; openid?: { scope?: string } };

/** A grant with what it is worth today. */
export type GrantRow = {
  id: string;
  appId: string;
  appName: string;
  logoUrl: string | undefined;
  /** The organization that registered the app; undefined when nobody did. */
  developer: string | undefined;
  environment: Environment;
  appScopes: readonly Scope[];
  organizationId: string;
  organizationName: string;
  role: Role;
  payload: GrantPayload;
  allowedAt: Date;
  /** When the API was last called under it; undefined when never. */
  lastUsedAt: Date | undefined;
};

export type ConnectedAppStore = {
  /** What the person allowed and still belongs to; by the app's name; at most 200. */
  list(userId: string): Promise<GrantRow[]>;
  recordUses(uses: readonly { id: string; at: Date }[]): Promise<void>;
};

export type ConnectedApp = Omit<GrantRow, 'payload' | 'role' | 'appScopes'> & {
  /** What it may do: as it was allowed, without what the person's role or the app lost since. */
  scopes: Scope[];
  /** Of OpenID Connect: "openid", "profile", "email". */
  identity: string[];
};

export const connectedAppsOf = async (store: ConnectedAppStore, userId: string): Promise<ConnectedApp[]> =>
  (await store.list(userId)).map(({ payload, role, appScopes, ...row }) => ({
    ...row,
    scopes: capScopes(scopesOf(payload), role).filter((scope) => appScopes.includes(scope)),
    identity: (payload.openid?.scope ?? '').split(' ').filter(Boolean),
  }));

const scopesOf = ({ resources = {} }: GrantPayload): Scope[] =>
  sortScopes(Object.values(resources).flatMap((scopes) => scopes.split(' ').filter(isScope)));

/** What a use is noted under: who acts for whom, and where. There is one grant for that. */
export const grantUseId = (of: { userId: string; appId: string; organizationId: string }): string =>
  `${of.userId} ${of.appId} ${of.organizationId}`;
