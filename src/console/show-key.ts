import type { Caller, KeyPage } from '../../views/console/keys.ts';
import type { ApiKeyObject } from '../api-keys/routes.ts';
import type { Clock } from '../kernel/clock.ts';
import type { CallerReports } from '../usage/report.ts';
import type { Faults } from './faults.ts';
import { keyRow } from './key-form.ts';
import { limitsInWords } from './limit-fields.ts';
import type { NamesOf } from './names.ts';
import { boundsOf } from './usage-series.ts';
import { queryOf, type Visit } from './visit.ts';

/** When the old key ends that was rotated. */
export const GRACES = [
  { value: '0', label: 'At once' },
  { value: '3600', label: 'After an hour' },
  { value: '86400', label: 'After a day' },
  { value: '604800', label: 'After a week' },
  { value: '2592000', label: 'After 30 days' },
];

/** From where keys were used, as the key's page shows it. */
const CALLER_DAYS = 30;
const MOST_CALLERS = 20;

export type ShowKeyDeps = { clock: Clock; namesOf: NamesOf; callers: CallerReports };

/** The page of one key: what it may, who calls with it, and the one that it replaces while that still works. */
export function createShowKey({ clock, namesOf, callers }: ShowKeyDeps) {
  const callersOf = async ({ organization, environment }: Visit, id: string): Promise<Caller[]> => {
    const since = new Date(clock().getTime() - CALLER_DAYS * 86_400_000);
    const found = await callers.of({ organizationId: organization.id, environment, id }, since, MOST_CALLERS);
    return found.map(({ network, lastSeenAt }) => ({ network, lastSeenAt: lastSeenAt.toISOString() }));
  };

  return async (visit: Visit, key: ApiKeyObject, faults?: Faults, grace = '86400') => {
    const old = key.rotatedFrom
      ? await visit.call('GET /v1/api-keys/:id', { params: { id: key.rotatedFrom } })
      : undefined;
    const usage = await visit.call('GET /v1/usage', {
      query: { ...boundsOf('24h', clock()), groupBy: 'credential' },
    });
    const requestsOf = (id: string): number => usage.data.find(({ group }) => group === id)?.requests ?? 0;
    const usable = key.status === 'active' || key.status === 'expiring';
    const names = await namesOf([key.createdBy]);
    visit.render(
      'console/key',
      {
        key: {
          ...keyRow(key, visit.url(`/keys/${key.id}`)),
          from: await fromWhere(visit, key),
          limits: limitsInWords(key.limits),
          requests: requestsOf(key.id),
          createdBy: names(key.createdBy),
          callers: await callersOf(visit, key.id),
          historyUrl: visit.url(`/audit-log?targetId=${key.id}`),
        },
        old:
          old?.status === 'expiring'
            ? {
                ...keyRow(old, visit.url(`/keys/${old.id}`)),
                requests: requestsOf(old.id),
                callers: await callersOf(visit, old.id),
              }
            : undefined,
        saved: queryOf(visit, 'saved') !== '',
        manage:
          usable && visit.may('organization:admin')
            ? {
                editUrl: visit.url(`/keys/${key.id}/edit`),
                revokeUrl: visit.url(`/keys/${key.id}/revoke`),
                rotate: {
                  action: visit.url(`/keys/${key.id}/rotate`),
                  values: { grace },
                  graces: GRACES,
                  errors: faults?.fields ?? {},
                  notice: faults?.notice,
                  cancelUrl: visit.url(`/keys/${key.id}`),
                },
              }
            : undefined,
      },
      faults ? { status: faults.status } : {},
    );
  };
}

/** Its own list, or else the organization's. */
async function fromWhere(visit: Visit, { ipAllowlist }: ApiKeyObject): Promise<KeyPage['key']['from']> {
  if (ipAllowlist.length > 0) return { addresses: ipAllowlist, byOrganization: false };
  const organization = await visit.call('GET /v1/organization');
  return { addresses: organization.ipAllowlist, byOrganization: true };
}
