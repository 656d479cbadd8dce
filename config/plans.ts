import type { Method } from './methods.ts';

/** Requests in each window. `perSecond` is what the customer's table calls the burst limit. */
export type Figures = { perSecond: number; perMinute: number; perDay: number };

type PlanEntry = Figures & { methods?: Partial<Record<Method, Partial<Figures>>> };

/** The customer's plans. An entry's figures hold for each authentication method, unless `methods` says otherwise for one. */
export const PLANS = {
  free: { perMinute: 60, perDay: 1_000, perSecond: 10 },
  pro: { perMinute: 300, perDay: 10_000, perSecond: 50 },
  business: { perMinute: 600, perDay: 50_000, perSecond: 100 },
  /** The floor of the plan: an organization's own figures may raise it. */
  enterprise: { perMinute: 1_000, perDay: 100_000, perSecond: 200 },
} as const satisfies Record<string, PlanEntry>;

export type Plan = keyof typeof PLANS;

export const PLAN_NAMES = Object.keys(PLANS) as Plan[];

export const isPlan = (value: string): value is Plan => Object.hasOwn(PLANS, value);

/** What a plan allows callers by this method; an organization's `own` figures go before the plan's. */
export function figuresOf(plan: Plan, method: Method, own: Partial<Figures> = {}): Figures {
  const { methods, ...figures }: PlanEntry = PLANS[plan];
  return { ...figures, ...methods?.[method], ...own };
}
