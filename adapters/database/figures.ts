import type { Figures, Plan } from '../../config/plans.ts';
import type { Allowance } from '../../src/principals/principal.ts';

/** Limits as tables hold them: null where the plan's holds. */
export type LimitColumns = {
  limit_per_second: number | null;
  limit_per_minute: number | null;
  limit_per_day: number | null;
};

/** An organization's plan and own figures, beside a row's own limits: `limit_per_…` and `organization_limit_per_…`. */
export type AllowanceColumns = LimitColumns & {
  organization_plan: Plan;
  organization_limit_per_second: number | null;
  organization_limit_per_minute: number | null;
  organization_limit_per_day: number | null;
};

/** To be selected where `organizations` is joined as `o`. */
export const ORGANIZATION_ALLOWANCE = `o.plan AS organization_plan, o.limit_per_second AS organization_limit_per_second,
  o.limit_per_minute AS organization_limit_per_minute, o.limit_per_day AS organization_limit_per_day`;

export const toFigures = (row: LimitColumns): Partial<Figures> => ({
  ...(row.limit_per_second === null ? {} : { perSecond: row.limit_per_second }),
  ...(row.limit_per_minute === null ? {} : { perMinute: row.limit_per_minute }),
  ...(row.limit_per_day === null ? {} : { perDay: row.limit_per_day }),
});

export const fromFigures = ({ perSecond, perMinute, perDay }: Partial<Figures>): LimitColumns => ({
  limit_per_second: perSecond ?? null,
  limit_per_minute: perMinute ?? null,
  limit_per_day: perDay ?? null,
});

export const toAllowance = (row: AllowanceColumns, capId: string): Allowance => ({
  plan: row.organization_plan,
  own: toFigures({
    limit_per_second: row.organization_limit_per_second,
    limit_per_minute: row.organization_limit_per_minute,
    limit_per_day: row.organization_limit_per_day,
  }),
  cap: toFigures(row),
  capId,
});
