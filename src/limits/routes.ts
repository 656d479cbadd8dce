import { z } from 'zod';
import { ENVIRONMENTS } from '../../config/environments.ts';
import { METHODS } from '../../config/methods.ts';
import { PLAN_NAMES } from '../../config/plans.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { timestamp } from '../kernel/schemas.ts';
import { visibleTo } from '../principals/principal.ts';
import type { LimitsOverview } from './overview.ts';
import { WINDOWS } from './policy.ts';

const object = z
  .object({
    object: z.literal('limits'),
    plan: z.enum(PLAN_NAMES),
    buckets: z.array(
      z.object({
        method: z.enum(METHODS),
        environment: z.enum(ENVIRONMENTS),
        credential: z.string().nullable().meta({
          description: "The key or app whose own, lower limits these are; null for the organization's.",
        }),
        windows: z.array(
          z.object({
            window: z.enum(WINDOWS),
            limit: z.int(),
            remaining: z.int(),
            resetAt: timestamp.meta({
              description: 'When the window ends; if nothing was counted, would end.',
            }),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Limits' });

export type LimitsObject = z.output<typeof object>;

/** `/v1/limits`: where every window stands. */
export const limitRoutes = ({ overview }: { overview: LimitsOverview }): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/limits',
    scope: 'organization:read',
    costsNothing: true,
    summary: 'Read the state of every limit; not counted itself',
    answer: object,
    status: 200,
    handle: async ({ principal, allowance }) => {
      const { plan, buckets } = await overview(principal, visibleTo(principal).environments, allowance);
      return {
        object: 'limits' as const,
        plan,
        buckets: buckets.map(({ method, environment, credentialId, windows }) => ({
          method,
          environment,
          credential: credentialId ?? null,
          windows: windows.map(({ window, limit, remaining, resetAtMs }) => ({
            window,
            limit,
            remaining,
            resetAt: new Date(resetAtMs).toISOString(),
          })),
        })),
      };
    },
  }),
];
