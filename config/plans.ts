/** The customer's plans. Figures are requests per window, for each authentication method. */
export const PLANS = {
  free: { perMinute: 60, perDay: 1_000, perSecond: 10 },
  pro: { perMinute: 300, perDay: 10_000, perSecond: 50 },
  business: { perMinute: 600, perDay: 50_000, perSecond: 100 },
  /** The floor of the plan: an organization's own figures may raise it. */
  enterprise: { perMinute: 1_000, perDay: 100_000, perSecond: 200 },
} as const;

export type Plan = keyof typeof PLANS;

export const PLAN_NAMES = Object.keys(PLANS) as Plan[];

export const isPlan = (value: string): value is Plan => Object.hasOwn(PLANS, value);
