import type { Plan } from '../../config/plans.ts';
import type { ReadMinutes, RecordedMinute } from '../../src/usage/try-plan.ts';
import type { Database } from './database.ts';
import { type LimitColumns, toFigures } from './figures.ts';

type Row = LimitColumns & {
  organization_id: string;
  environment: RecordedMinute['environment'];
  method: RecordedMinute['method'];
  minute: Date;
  asked: number[];
  name: string;
  plan: Plan;
};

const PAGE_ROWS = 2_000;

/** Reads the calls that usage.ts wrote by the second, with what their organizations are allowed now. */
export const createMinuteReader = (database: Database): ReadMinutes =>
  async function* ({ organizationId, from, to }) {
    let last: Row | undefined;
    do {
      const { rows } = await database.sql().raw<{ rows: Row[] }>(
        `SELECT m.organization_id, m.environment, m.method, m.minute, m.asked, o.name, o.plan,
                o.limit_per_second, o.limit_per_minute, o.limit_per_day
         FROM usage_minutes m JOIN organizations o ON o.id = m.organization_id
         WHERE m.minute >= :from AND m.minute < :to
         ${organizationId === undefined ? '' : 'AND m.organization_id = :organizationId'}
         ${last ? 'AND (m.organization_id, m.environment, m.method, m.minute) > (:o, :e, :m, :t::timestamptz)' : ''}
         ORDER BY m.organization_id, m.environment, m.method, m.minute LIMIT :most`,
        {
          from: from.toISOString(),
          to: to.toISOString(),
          most: PAGE_ROWS,
          ...(organizationId === undefined ? {} : { organizationId }),
          ...(last
            ? { o: last.organization_id, e: last.environment, m: last.method, t: last.minute.toISOString() }
            : {}),
        },
      );
      yield rows.map(toRecorded);
      last = rows.length === PAGE_ROWS ? rows.at(-1) : undefined;
    } while (last);
  };

const toRecorded = (row: Row): RecordedMinute => ({
  organizationId: row.organization_id,
  environment: row.environment,
  method: row.method,
  minute: row.minute,
  asked: row.asked,
  organizationName: row.name,
  plan: row.plan,
  own: toFigures(row),
});
