import type { Alert } from '../../views/console/overview.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Visible, visibleTo } from '../principals/principal.ts';
import { curlFor } from './curl.ts';
import { eventRows } from './events.ts';
import type { NamesOf } from './names.ts';
import { quotasOf } from './quota.ts';
import { boundsOf, seriesOf, totalOf } from './usage-series.ts';
import type { ConsolePage } from './visit.ts';

export type OverviewDeps = {
  apiUrl: string;
  clock: Clock;
  namesOf: NamesOf;
  /** Newest first, in words. */
  latestAlerts(of: Visible): Promise<Alert[]>;
};

/** Where one arrives: how things stand, and the first steps where nothing stands yet. */
export const overviewPages = ({ apiUrl, clock, namesOf, latestAlerts }: OverviewDeps): ConsolePage[] => [
  {
    method: 'GET',
    path: '',
    scope: 'organization:read',
    handle: async (visit) => {
      const { environment } = visit;
      const keys = await visit.call('GET /v1/api-keys', { query: { environment, limit: '1' } });
      const log = await visit.call('GET /v1/organization/audit-log', { query: { limit: '6' } });
      const usage = await visit.call('GET /v1/usage', {
        query: { ...boundsOf('24h', clock()), groupBy: 'hour' },
      });
      const rows = seriesOf(usage, 'hour');
      const limits = await visit.call('GET /v1/limits');
      visit.render('console/overview', {
        organization: visit.organization.name,
        environment,
        rows,
        total: totalOf(rows),
        alerts: await latestAlerts(visibleTo(visit.principal, environment)),
        quotas: quotasOf(limits, environment),
        usageUrl: visit.url('/usage'),
        hasKeys: keys.data.length > 0,
        newKeyUrl: visit.may('organization:admin') ? visit.url('/keys/new') : undefined,
        curl: curlFor(apiUrl, environment === 'live' ? 'pr_live_…' : 'pr_test_…'),
        events: await eventRows(log.data, namesOf),
        auditUrl: visit.url('/audit-log'),
      });
    },
  },
];
