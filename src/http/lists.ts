import { z } from 'zod';

const DEFAULT_LIMIT = 20;
const MOST = 100;

/** The query of a list. `readKey` says whether a decoded cursor can be one of this list's: anybody may send anything. */
export const pageQuery = <K extends string | number>(readKey: (text: string) => K | undefined) =>
  z.strictObject({
    limit: z
      .preprocess(
        (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
        z.int(`must be a whole number from 1 to ${MOST}`).min(1).max(MOST).meta({ default: DEFAULT_LIMIT }),
      )
      .default(DEFAULT_LIMIT),
    cursor: z
      .string()
      .max(200)
      .transform((cursor, context): K => {
        const key = readKey(Buffer.from(cursor, 'base64url').toString());
        if (key !== undefined && encode(key) === cursor) return key;
        context.addIssue('must be the nextCursor of an earlier page');
        return z.NEVER;
      })
      .optional(),
  });

export const listSchema = <T extends z.ZodType>(item: T) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    hasMore: z.boolean(),
    nextCursor: z.string().nullable(),
  });

/**
 * One page of a list, newest first. `found`: what a store gave for this page, one more than `limit` when there are more:
 * so the end is known without counting, and nothing is skipped or repeated while others write.
 */
export function listOf<T, O>(
  found: readonly T[],
  limit: number,
  keyOf: (item: T) => string | number,
  present: (item: T) => O,
) {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const hasMore = found.length > limit;
  return {
    object: 'list' as const,
    data: items.map(present),
    hasMore,
    nextCursor: hasMore && last !== undefined ? encode(keyOf(last)) : null,
  };
}

const encode = (key: string | number): string => Buffer.from(String(key)).toString('base64url');
