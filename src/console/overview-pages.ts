import { curlFor } from './curl.ts';
import { eventRows } from './events.ts';
import type { NamesOf } from './names.ts';
import type { ConsolePage } from './visit.ts';

/** Where one arrives: how things stand, and the first steps where nothing stands yet. */
export const overviewPages = ({ apiUrl, namesOf }: { apiUrl: string; namesOf: NamesOf }): ConsolePage[] => [
  {
    method: 'GET',
    path: '',
    scope: 'organization:read',
    handle: async (visit) => {
      const { environment } = visit;
      const keys = await visit.call('GET /v1/api-keys', { query: { environment, limit: '1' } });
      const log = await visit.call('GET /v1/organization/audit-log', { query: { limit: '6' } });
      visit.render('console/overview', {
        organization: visit.organization.name,
        environment,
        hasKeys: keys.data.length > 0,
        newKeyUrl: visit.may('organization:admin') ? visit.url('/keys/new') : undefined,
        curl: curlFor(apiUrl, environment === 'live' ? 'pr_live_…' : 'pr_test_…'),
        events: await eventRows(log.data, namesOf),
        auditUrl: visit.url('/audit-log'),
      });
    },
  },
];
