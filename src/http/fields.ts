import { z } from 'zod';
import type { Figures } from '../../config/plans.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import type { Clock } from '../kernel/clock.ts';

/** Body members that several features take. Those that need none of our tables are in `kernel/schemas.ts`. */

/** API scopes, each once. */
export const scopeList = z
  .array(z.enum(ALL_SCOPES))
  .max(ALL_SCOPES.length)
  .refine((list) => new Set(list).size === list.length, 'must name each scope once');

/** A time to come, in ISO 8601 with its offset. */
export const futureTime = (clock: Clock) =>
  z.iso
    .datetime({ offset: true })
    .transform((value) => new Date(value))
    .refine((at) => at > clock(), 'must be in the future');

const limit = z.int().min(1).max(1_000_000_000).optional();

/** Limits as the API writes them, in requests: `burst` is of a second. Those that are absent are the plan's. */
export const limitsObject = z
  .strictObject({ perMinute: limit, perDay: limit, burst: limit })
  .meta({ description: "Lower limits of its own, in requests. What is absent is the plan's alone." });

export const toFigures = ({ perMinute, perDay, burst }: z.output<typeof limitsObject>): Partial<Figures> => ({
  ...(perMinute === undefined ? {} : { perMinute }),
  ...(perDay === undefined ? {} : { perDay }),
  ...(burst === undefined ? {} : { perSecond: burst }),
});

export const presentLimits = ({
  perMinute,
  perDay,
  perSecond,
}: Partial<Figures>): z.input<typeof limitsObject> => ({
  ...(perMinute === undefined ? {} : { perMinute }),
  ...(perDay === undefined ? {} : { perDay }),
  ...(perSecond === undefined ? {} : { burst: perSecond }),
});
