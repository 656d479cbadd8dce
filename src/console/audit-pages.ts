import { Readable } from 'node:stream';
import type { AuditFilterValues } from '../../views/console/audit-log.ts';
import type { AuditEventObject } from '../audit/routes.ts';
import { csvOf, eachEvent, jsonOf } from './audit-export.ts';
import { eventRows, eventTypeGroups } from './events.ts';
import { attempt } from './faults.ts';
import type { NamesOf } from './names.ts';
import { type ConsolePage, queryOf, type Visit } from './visit.ts';

const FIELDS = ['type', 'actorId', 'targetId', 'from', 'to'];
const PER_PAGE = '50';

const EXPORTS = [
  { label: 'CSV', name: 'audit-log.csv', type: 'text/csv; charset=utf-8', write: csvOf },
  { label: 'JSON', name: 'audit-log.json', type: 'application/json; charset=utf-8', write: jsonOf },
];

/** The audit log: who changed what, by type, actor, target and day; and as a file. */
export const auditPages = ({ namesOf }: { namesOf: NamesOf }): ConsolePage[] => [
  {
    method: 'GET',
    path: '/audit-log',
    scope: 'organization:read',
    handle: async (visit) => {
      const values = valuesOf(visit);
      const { done, faults } = await attempt(FIELDS, () =>
        visit.call('GET /v1/organization/audit-log', {
          query: { ...filterOf(values), limit: PER_PAGE, cursor: queryOf(visit, 'cursor') || undefined },
        }),
      );
      const events: AuditEventObject[] = done?.data ?? [];
      const query = new URLSearchParams(
        Object.entries(values).filter(([, value]) => value !== ''),
      ).toString();
      const withQuery = (more: string): string =>
        visit.url(`/audit-log${more}${query === '' ? '' : `${more.includes('?') ? '&' : '?'}${query}`}`);
      const rows = await eventRows(events, namesOf);
      visit.render(
        'console/audit-log',
        {
          action: visit.url('/audit-log'),
          values,
          errors: faults?.fields ?? {},
          notice: faults?.notice,
          cancelUrl: visit.url('/audit-log'),
          events: rows,
          filtered: query !== '',
          types: eventTypeGroups(values.type),
          // Called as the rows call them: a name is told to nobody who only knows an id.
          actorName: values.actorId === '' ? undefined : (rows[0]?.actor ?? values.actorId),
          targetName: values.targetId === '' ? undefined : (rows[0]?.target ?? values.targetId),
          nextUrl: done?.nextCursor ? withQuery(`?cursor=${done.nextCursor}`) : undefined,
          exports: EXPORTS.map(({ label, name }) => ({ label, url: withQuery(`/${name}`) })),
        },
        faults ? { status: faults.status } : {},
      );
    },
  },
  ...EXPORTS.map(
    ({ name, type, write }): ConsolePage => ({
      method: 'GET',
      path: `/audit-log/${name}`,
      scope: 'organization:read',
      handle: async (visit) => {
        const { ctx } = visit;
        const filter = filterOf(valuesOf(visit));
        const read = (cursor: string | undefined) =>
          visit.call('GET /v1/organization/audit-log', { query: { ...filter, limit: '100', cursor } });
        const first = await read(undefined); // a filter that doesn't fit is told before a file has begun
        ctx.set('Cache-Control', 'no-store');
        ctx.attachment(name);
        ctx.type = type;
        ctx.body = Readable.from(write(eachEvent(first, read)));
      },
    }),
  ),
];

const valuesOf = (visit: Visit): AuditFilterValues => ({
  type: queryOf(visit, 'type').trim(),
  actorId: queryOf(visit, 'actorId').trim(),
  targetId: queryOf(visit, 'targetId').trim(),
  from: queryOf(visit, 'from'),
  to: queryOf(visit, 'to'),
});

/** Days are UTC's, and the last one is part of what is asked for. */
const filterOf = ({ type, actorId, targetId, from, to }: AuditFilterValues) => ({
  type: type || undefined,
  actorId: actorId || undefined,
  targetId: targetId || undefined,
  from: from === '' ? undefined : `${from}T00:00:00Z`,
  to: to === '' ? undefined : nextDay(to),
});

function nextDay(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  return Number.isNaN(at.getTime()) ? day : new Date(at.getTime() + 86_400_000).toISOString();
}
