import { z } from 'zod';
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
