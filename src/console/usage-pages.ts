import type { Clock } from '../kernel/clock.ts';
import type { UsageObject } from '../usage/routes.ts';
import type { NamesOf } from './names.ts';
import { boundsOf, isRange, RANGES, type Range, seriesOf, totalOf } from './usage-series.ts';
import { type ConsolePage, queryOf, type Visit } from './visit.ts';

const GROUPS = {
  credential: 'Credential',
  scope: 'Scope',
  status: 'Status',
} as const;

const isGroup = (value: string): value is keyof typeof GROUPS => Object.hasOwn(GROUPS, value);

/** What was asked of the API: over time, and by credential, scope or status. */
export const usagePages = ({ clock, namesOf }: { clock: Clock; namesOf: NamesOf }): ConsolePage[] => [
  {
    method: 'GET',
    path: '/usage',
    scope: 'organization:read',
    handle: async (visit) => {
      const range = rangeOf(visit);
      const by = groupOf(visit);
      const bounds = boundsOf(range, clock());
      const { step } = RANGES[range];
      const overTime = await visit.call('GET /v1/usage', { query: { ...bounds, groupBy: step } });
      const grouped = await visit.call('GET /v1/usage', { query: { ...bounds, groupBy: by } });
      const rows = seriesOf(overTime, step);
      const link = (to: { range?: string; by?: string }): string =>
        visit.url(`/usage?${new URLSearchParams({ range, by, ...to }).toString()}`);
      visit.render('console/usage', {
        environment: visit.environment,
        range: RANGES[range].label,
        ranges: Object.entries(RANGES).map(([value, { label }]) => ({
          label,
          url: link({ range: value }),
          current: value === range,
        })),
        total: totalOf(rows),
        byDay: step === 'day',
        rows,
        by: GROUPS[by],
        groupings: Object.entries(GROUPS).map(([value, label]) => ({
          label,
          url: link({ by: value }),
          current: value === by,
        })),
        groups: await groupRows(grouped, by, namesOf),
        more: grouped.hasMore,
      });
    },
  },
];

const rangeOf = (visit: Visit): Range => {
  const asked = queryOf(visit, 'range');
  return isRange(asked) ? asked : '7d';
};

const groupOf = (visit: Visit): keyof typeof GROUPS => {
  const asked = queryOf(visit, 'by');
  return isGroup(asked) ? asked : 'credential';
};

/** Credentials by their names, found in one statement: `usr_…:app_…` is a person through an app. */
async function groupRows({ data }: UsageObject, by: keyof typeof GROUPS, namesOf: NamesOf) {
  const idsOf = (group: string): string[] => (by === 'credential' ? group.split(':') : []);
  const names = await namesOf(data.flatMap(({ group }) => idsOf(group)));
  return data.map(({ group, ...counts }) => {
    const known = idsOf(group).map((id) => names(id));
    return {
      ...counts,
      group,
      name: known.some((name) => name !== undefined)
        ? known.map((name) => name ?? 'somebody').join(' through ')
        : undefined,
    };
  });
}
