import { networkMatcher } from '../kernel/addresses.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import type { By, Principal } from '../principals/principal.ts';
import { type ChangeDeps, createChanging } from './change.ts';
import type { Organization, OrganizationChange, OrganizationStore } from './organization.ts';

export type ChangeOrganization = (by: By, change: OrganizationChange) => Promise<Organization>;

/** Changes what an organization's admins may decide about it. Nobody shuts themself out by it. */
export function createOrganizationChanger(
  deps: ChangeDeps & {
    organizations: Pick<OrganizationStore, 'find' | 'update'>;
    hasSecondFactor(userId: string): Promise<boolean>;
  },
): ChangeOrganization {
  const { organizations } = deps;
  const { changing, record } = createChanging(deps);

  const requireOwnSecondFactor = async ({ userId }: Principal): Promise<void> => {
    if (userId === undefined || (await deps.hasSecondFactor(userId))) return;
    throw new AppError('conflict', 'Set up a second factor for yourself first.');
  };

  return (by, change) =>
    changing(by, async () => {
      const { organizationId } = by.principal;
      const fields = Object.keys(change);
      if (change.requireSecondFactor) await requireOwnSecondFactor(by.principal);
      if (change.ipAllowlist) requireOwnAddress(by, change.ipAllowlist);
      if (fields.length > 0) {
        await organizations.update(organizationId, change);
        const { ipAllowlist } = change;
        await record('organization.updated', by, organizationId, {
          fields,
          ...(ipAllowlist ? { ipAllowlist } : {}),
        });
      }
      const organization = await organizations.find(organizationId);
      if (!organization) throw notFound();
      return organization;
    });
}

/**
 * No key shuts itself out. People and apps are not held to the list, so that in the console it can always be undone. A key
 * with a list of its own would not be shut out, and is refused too: one rule, that is easy to tell.
 */
function requireOwnAddress({ principal, ip }: By, allowlist: readonly string[]): void {
  if (principal.method !== 'api_key' || allowlist.length === 0 || networkMatcher(allowlist)(ip)) return;
  const message = `must hold ${ip}, from which this API key calls`;
  throw new AppError('validation_failed', `The list ${message}.`, {
    errors: [{ path: 'ipAllowlist', message }],
  });
}
