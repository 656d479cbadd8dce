import type { CallLimits } from '../../src/http/route.ts';
import type { Allowance } from '../../src/principals/principal.ts';

/** For tests of what comes before or after the limits. */
export const NO_LIMITS: CallLimits = {
  count: async () => {},
  show: async () => {},
  refuse: async (_ctx, error) => error,
  showUnproven: async () => {},
};

export const ALLOWANCE: Allowance = { plan: 'free', own: {}, cap: {}, capId: 'key_1' };

/** For `bootstrap`: limits that no test reaches by the way. */
export const AMPLE = {
  plan: 'enterprise',
  own: { perSecond: 100_000, perMinute: 1_000_000, perDay: 9_000_000 },
} as const;
