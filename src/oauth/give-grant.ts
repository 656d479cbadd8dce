import type Provider from 'oidc-provider';
import type { RecordAudit } from '../audit/event.ts';
import { AppError } from '../kernel/errors.ts';
import { amendScopes, type ConsentDecision } from './consent.ts';
import type { GrantStore } from './grant-store.ts';

type ScopeSets = {
  resources?: Record<string, string>;
  rejected?: { resources?: Record<string, string>; openid?: { scope?: string } };
  organizationId?: string;
};

export type GiveGrantDeps = {
  provider: Provider;
  grants: GrantStore;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
};

/**
 * Writes down what a person allowed: into their grant for this app and organization, or a new one. For every
 * scope that was asked for, the grant says granted or rejected (a rejected one isn't asked for again until the
 * app sends prompt=consent); scopes that were not asked for this time stay as they are. Returns its id.
 */
export async function giveGrant(
  deps: GiveGrantDeps,
  consent: {
    userId: string;
    appId: string;
    resources: readonly string[];
    identityScopes: readonly string[];
    decision: Extract<ConsentDecision, { kind: 'granted' }>;
    ip: string;
  },
): Promise<string> {
  const { provider, grants, audit } = deps;
  const { userId, appId, decision } = consent;
  const { organizationId, granted, rejected } = decision;

  return deps.transaction(async () => {
    if (!(await grants.lockForConsent({ userId, appId }))) throw gone();
    const known = await grants.findFor({ userId, appId, organizationId });
    const grant =
      (known ? await provider.Grant.find(known) : undefined) ??
      new provider.Grant({ accountId: userId, clientId: appId });
    const sets = grant as unknown as ScopeSets;
    sets.organizationId = organizationId;
    sets.resources ??= {};
    sets.rejected ??= {};
    sets.rejected.resources ??= {};
    for (const resource of consent.resources) {
      const allowed = [...consent.identityScopes, ...granted];
      put(sets.resources, resource, amendScopes(sets.resources[resource], allowed, rejected));
      put(
        sets.rejected.resources,
        resource,
        amendScopes(sets.rejected.resources[resource], rejected, granted),
      );
    }
    if (consent.identityScopes.length > 0) grant.addOIDCScope(consent.identityScopes.join(' '));
    const id = await grant.save();
    await audit({
      type: 'consent.granted',
      organizationId,
      actor: { type: 'user', id: userId },
      targetId: appId,
      ip: consent.ip,
      data: { scopes: granted, ...(rejected.length > 0 ? { rejected } : {}) },
    });
    return id;
  });
}

function put(sets: Record<string, string>, resource: string, scopes: string | undefined): void {
  if (scopes === undefined) delete sets[resource];
  else sets[resource] = scopes;
}

const gone = (): AppError =>
  new AppError('bad_request', 'This app does not exist any more. Nothing was allowed.');
