import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import type { Clock } from '../kernel/clock.ts';
import { timestamp } from '../kernel/schemas.ts';
import { GROUPINGS, resolveRange, type UsageReports } from './report.ts';

const MOST_GROUPS = 1_000;

const usage = z
  .object({
    object: z.literal('usage'),
    from: timestamp,
    to: timestamp,
    groupBy: z.enum(GROUPINGS),
    data: z.array(
      z.object({
        group: z.string(),
        requests: z.int(),
        refused: z.int().meta({ description: 'By the rate limits; among the client errors too.' }),
        clientErrors: z.int().meta({ description: 'Answered 4xx.' }),
        serverErrors: z.int().meta({ description: 'Answered 5xx.' }),
      }),
    ),
    hasMore: z.boolean().meta({ description: `Whether there were more than ${MOST_GROUPS} groups.` }),
  })
  .meta({ id: 'Usage' });

export type UsageObject = z.output<typeof usage>;

const time = z.iso
  .datetime({ offset: true })
  .transform((value) => new Date(value))
  .refine(
    (date) => date.getUTCFullYear() >= 2000 && date.getUTCFullYear() < 3000,
    'must be after the year 2000',
  )
  .optional();

/** `/v1/usage`: what was asked of the API with the organization's credentials of the caller's environment. */
export const usageRoutes = ({ reports, clock }: { reports: UsageReports; clock: Clock }): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/usage',
    scope: 'organization:read',
    summary: 'Count the calls of the organization; a call shows within about a second',
    query: z
      .strictObject({ from: time, to: time, groupBy: z.enum(GROUPINGS).default('day') })
      .transform((asked, context) => {
        const range = resolveRange(asked, clock());
        if (!('faults' in range)) return range;
        for (const { path, message } of range.faults)
          context.addIssue({ code: 'custom', path: [path], message });
        return z.NEVER;
      }),
    answer: usage,
    status: 200,
    handle: async ({ principal: { organizationId, environment }, query }) => {
      const groups = await reports.sum({ ...query, organizationId, environment }, MOST_GROUPS + 1);
      return {
        object: 'usage' as const,
        from: query.from.toISOString(),
        to: query.to.toISOString(),
        groupBy: query.groupBy,
        data: groups.slice(0, MOST_GROUPS),
        hasMore: groups.length > MOST_GROUPS,
      };
    },
  }),
];
